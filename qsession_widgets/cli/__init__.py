"""The `qsession` command: `main` has its sub-commands, `watch` follows one session live."""

from .main import main

__all__ = ["main"]
