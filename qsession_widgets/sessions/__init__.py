"""Sessions of this kernel: opened, bound to primitives, limited by policies, and ended.

``manager`` is the way in: it opens, reuses, attaches and ends. ``opening`` sends the requests,
``reuse`` compares a request with the open sessions. ``session`` has the client library's classes,
``live`` an open one with its monitor and ``policies``; ``binding`` says which one a primitive
belongs to, through the ``patches`` of the client library. ``with_blocks`` are the user's own,
``stray_jobs`` run outside of it, ``exit_hooks`` close it when the interpreter ends,
``run_ends`` record whether a cell or script has failed.
"""
