"""Watching a session: polls turn into snapshots, and snapshots are handed out.

``poller`` polls a session and ``job_poller`` jobs without one; ``publisher`` calls listeners with
the snapshots, and ``poll_thread`` polls again and again; ``monitor`` is the three together.
``job_tracker`` and ``service_clock`` keep what was learned, ``response_checks`` validates answers,
and ``commands`` closes and cancels. ``waiting`` and ``event_log`` are the first two listeners.
"""
