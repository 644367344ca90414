"""Watching a session: polls turn into snapshots, and snapshots are handed out.

``monitor`` watches a session and ``jobwatch`` jobs without one; ``jobbook`` and ``service_clock``
are what they know, ``commands`` what they are told to do. ``waiting`` and ``reporting`` are the
first two listeners.
"""
