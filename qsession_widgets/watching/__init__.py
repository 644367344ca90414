"""Watching a session: polls turn into snapshots, and snapshots are handed out.

``monitor`` watches a session and ``jobwatch`` jobs without one; ``thread`` polls for them at a
``pace``. ``jobbook`` and ``service_clock`` are what they know, ``answers`` what they make of
answers that make no sense, ``commands`` what they are told to do. ``waiting`` and ``reporting``
are the first two listeners.
"""
