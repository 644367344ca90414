"""The emulator as a process: start it, find it, stop it.

``server`` is the process itself, ``launcher`` finds or starts one, ``connection_file`` is how a
running one is found. ``cli`` is `qsession emulator` and `qsession run`, ``run_command`` runs one
command against an emulator of its own, ``fault_cli`` causes faults from a terminal, and
``environment`` sets environment variables for a while.
"""
