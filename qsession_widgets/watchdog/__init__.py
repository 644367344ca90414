"""Closes sessions of a process that was killed or has crashed, from a process of its own.

``owner`` is the side of the process that has the sessions; ``process`` waits for its end.
"""
