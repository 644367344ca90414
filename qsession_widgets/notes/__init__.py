"""What kernels note on disk of their sessions, for other kernels, terminals and Jupyter's server.

``opened`` has the notes, ``running`` whether a cell runs, ``instances`` where the notes lead, and
``recall`` what they know of sessions that this kernel does not have.
"""
