"""The walkthroughs: notebooks that come with the package, copied to where they can be changed."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from .errors import UserError
from .files import write_atomically

FOLDER = "qsession-tutorials"
"""Name of the folder that the copies go into."""

FIRST = "01_quickstart.ipynb"
"""The notebook to begin with."""


def copy_tutorials(folder: Path) -> Path:
    """Copy the walkthroughs into a folder ``qsession-tutorials`` below another one.

    A notebook that is there already is left as it is, whether it was run, changed, or came with
    another version of the package: to get the original again, delete or rename it first.

    Parameters
    ----------
    folder : Path
        Where the new folder goes; made if it does not exist.

    Returns
    -------
    Path
        The folder with the copies.

    Raises
    ------
    UserError
        The copies cannot be written there.
    """
    target = Path(folder) / FOLDER
    try:
        target.mkdir(parents=True, exist_ok=True)
        for original in _originals():
            if not os.path.lexists(target / original.name):
                write_atomically(target / original.name, original.read_bytes(), mode=0o666)
    except OSError as error:
        raise UserError(
            f"The walkthroughs cannot be written to {target} ({error.strerror or error}): "
            "name a folder that is yours, as in qsession tutorial ~/notebooks."
        ) from None
    return target


def differing(target: Path) -> list[str]:
    """Name the notebooks in a folder of copies that are not, or no longer, like the originals."""
    return [
        original.name
        for original in _originals()
        if (target / original.name).is_file()
        and (target / original.name).read_bytes() != original.read_bytes()
    ]


def open_lab(target: Path) -> NoReturn:
    """Become a JupyterLab that shows the first of the walkthroughs in a folder of copies.

    Raises
    ------
    UserError
        There is no JupyterLab in this environment.
    """
    if find_spec("jupyterlab") is None:
        raise UserError(
            'There is no JupyterLab here to open them with: pip install "qsession-widgets[lab]" '
            f"brings it; then say jupyter lab {target}."
        )
    sys.stdout.flush()
    # not a child: Ctrl-C and signals are the lab's own from here on
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", str(target.resolve() / FIRST)])


def _originals() -> list[Path]:
    """Find the notebooks: beside the modules in a wheel, beside the package in a source tree."""
    package = Path(__file__).resolve().parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / FIRST).is_file():
            return sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    raise UserError(
        "This installation lacks the walkthroughs: pip install --force-reinstall qsession-widgets "
        "brings them."
    )
