"""The REST API: translation between HTTP and the emulator, and nothing else.

One module per subject. `iam` plays the parts of IBM Cloud that the client asks before it asks the
service; ``backends``, ``sessions``, ``jobs``, ``workloads`` and ``instances`` are the service;
``control`` is the emulator's own; `describe` turns records into what the service would say of
them; `models` are the bodies, for checking what comes in and for OpenAPI.
"""

from __future__ import annotations

from .app import create_app

__all__ = ["create_app"]
