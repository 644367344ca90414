"""Start a worker; the pool runs this in a process of its own."""

from __future__ import annotations

from qsession_widgets.emulator.engine.workers.worker import main

if __name__ == "__main__":
    main()
