"""Reads ``SessionMagics`` in IPython's configuration files, for the command line.

A notebook reads them by itself. The files are ``ipython_config.py`` and ``ipython_config.json``, in
the folders for all users and in the default profile; later ones go before earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UserError

FILES = ("ipython_config.json", "ipython_config.py")


def configured() -> dict[str, str]:
    """Values of ``c.SessionMagics`` by trait, as they stand in the files; empty without any.

    Raises
    ------
    UserError
        A file cannot be read.
    """
    from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

    found: dict[str, str] = {}
    for path in _files():
        loader = PyFileConfigLoader if path.suffix == ".py" else JSONFileConfigLoader
        try:
            config: Any = loader(path.name, str(path.parent)).load_config()
        except Exception as error:
            # a Python file can fail in any way
            raise UserError(
                f"The configuration file {path} cannot be read "
                f"({type(error).__name__}: {error}): mend it, or move it away."
            ) from None
        section = config.get("SessionMagics", {})
        for name, value in section.items():
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                found[name] = str(value)
    return found


def _files() -> Iterator[Path]:
    from IPython.paths import get_ipython_dir

    folders = [Path(folder) for folder in _system_folders()]
    folders.append(Path(get_ipython_dir()) / "profile_default")
    for folder in folders:
        for name in FILES:
            if (folder / name).is_file():
                yield folder / name


def _system_folders() -> list[str]:
    from IPython.core.application import ENV_CONFIG_DIRS, SYSTEM_CONFIG_DIRS

    return [*reversed(SYSTEM_CONFIG_DIRS), *reversed(ENV_CONFIG_DIRS)]
