"""Registry: files in which kernels record their sessions, for kernels, terminals and the server.

``entries`` has the entry of each session, ``kernel_status`` whether a cell runs, and ``lookup``
finds entries by name, by notebook and by instance.
"""
