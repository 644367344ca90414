"""Failure of a job that cannot be run as posted, with its reason."""

from __future__ import annotations

INVALID_BODY = 1208
INVALID_OBSERVABLE = 1501
NOT_ISA = 1517
INVALID_OPTION = 1519
INVALID_QASM = 1603
INTERNAL_ERROR = 9999


class JobFailure(Exception):
    """Ends a job with one sentence for the user.

    Parameters
    ----------
    reason : str
        What was wrong, what is allowed, what to do.
    code : int, optional
        The service's error code that fits best; None where the service has nothing alike.
    """

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code

    def __reduce__(self) -> tuple[type[JobFailure], tuple[str, int | None]]:
        return type(self), (self.reason, self.code)


def out_of_memory() -> JobFailure:
    """Return the failure of a job that ran out of memory while it ran."""
    return JobFailure(
        "The job ran out of memory: use fewer qubits or shots, split it into several jobs, or "
        'choose a method that needs less with options.experimental = {"aer": {"method": '
        '"matrix_product_state"}}.',
        INTERNAL_ERROR,
    )
