"""The error of an answer that cannot be read; the client library is imported with it."""

from __future__ import annotations

from qiskit_ibm_runtime.exceptions import IBMRuntimeError

from ..errors import UserError


class SpoiltAnswer(UserError, IBMRuntimeError):  # type: ignore[misc]
    """The service has answered, time and again, what cannot be read as what was asked for."""
