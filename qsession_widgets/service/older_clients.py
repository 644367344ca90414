"""Releases of the client library before 0.49, which cannot be told where to authenticate.

Newer ones read the variables ``IAM_URL``, ``GLOBAL_SEARCH_URL`` and ``GLOBAL_CATALOG_URL``, and so
reach an emulator. Here the older ones are taught to; without the variables nothing changes. When no
such release is supported any more, this file can go.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

FIRST_TO_READ = (0, 49)
"""The first minor release that reads the variables by itself."""

VARIABLES = {
    "get_iam_api_url": "IAM_URL",
    "get_global_search_api_url": "GLOBAL_SEARCH_URL",
    "get_global_catalog_api_url": "GLOBAL_CATALOG_URL",
}
"""Functions that make an address from the service's, and the variable that goes before each."""


def read_variables() -> None:
    """Let the client library read the variables, if it does not by itself; twice is once."""
    import qiskit_ibm_runtime

    version = tuple(int(part) for part in qiskit_ibm_runtime.__version__.split(".")[:2])
    if version >= FIRST_TO_READ:
        return
    from qiskit_ibm_runtime.accounts import account
    from qiskit_ibm_runtime.api import auth

    for name, variable in VARIABLES.items():
        original = getattr(account, name)
        if not hasattr(original, "__wrapped__"):
            setattr(account, name, _reading(variable, original))
    manager = auth.IAMTokenManager
    if not hasattr(manager, "__wrapped__"):

        @functools.wraps(manager, updated=())
        def token_manager(*args: Any, url: str, **kwargs: Any) -> Any:
            return manager(*args, url=os.environ.get("IAM_URL") or url, **kwargs)

        auth.IAMTokenManager = token_manager


def _reading(variable: str, original: Callable[[str], str]) -> Callable[[str], str]:
    @functools.wraps(original)
    def address(cloud_url: str) -> str:
        return os.environ.get(variable) or original(cloud_url)

    return address
