"""Every Jupyter server of the environment loads the extension, so loading it must cost little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import qsession_widgets.server as server

LOADING = """
import sys
from jupyter_server.serverapp import ServerApp
import qsession_widgets.server.handlers, qsession_widgets.server.overview
heavy = ("qiskit", "qiskit_ibm_runtime", "qiskit_aer", "numpy", "plotly", "fastapi", "ipywidgets")
print([name for name in heavy if name in sys.modules])
"""


def test_what_takes_long_to_import_waits_until_it_is_needed() -> None:
    done = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_an_install_enables_what_there_is() -> None:
    path = Path(server.__file__).with_name("jupyter_server_config.json")
    enabled = json.loads(path.read_text("utf-8"))["ServerApp"]["jpserver_extensions"]
    (point,) = server._jupyter_server_extension_points()
    assert enabled == {point["module"]: True}
