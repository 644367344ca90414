"""The Jupyter server's part: sessions are listed, closed and cancelled with no kernel involved.

Loaded with every Jupyter server of an environment that has this package, so it imports next to
nothing: neither qiskit nor the emulator, before a page asks for the first time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "qsession_widgets.server"}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    from .handlers import routes
    from .overview import SessionsOverview

    settings = app.web_app.settings
    settings["qsession"] = SessionsOverview(settings, parent=app)
    app.web_app.add_handlers(".*$", routes(settings["base_url"]))  # type: ignore[no-untyped-call]
