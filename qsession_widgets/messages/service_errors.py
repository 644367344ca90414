"""Meanings of and remedies for the service's error codes and the client library's exceptions.

Tables, for `qsession_widgets.errors` to explain errors with and for the documentation to list.
Codes: IBM's error code list and threads, November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """The meaning of an error and its remedy.

    Attributes
    ----------
    what : str
        What happened, as a clause that starts a sentence.
    do : str
        What to do next, as a sentence.
    """

    what: str
    do: str


ADVICE: dict[int, Advice] = {
    1200: Advice("You are not authorized to do that", "Check which account and instance is used."),
    1201: Advice(
        "The service does not accept these credentials",
        "Save the account again with QiskitRuntimeService.save_account(token=..., overwrite=True).",
    ),
    1202: Advice("There are too many requests", "Wait a minute; jobs already sent go on."),
    1208: Advice("The service could not read the job", "Check the circuits and options."),
    1217: Advice("The session is closed", "Open a new one with %%session."),
    1279: Advice("The instance was not found", "Check the CRN and its region."),
    1305: Advice(
        "The job ran longer than its limit and was stopped",
        "Split it, use fewer shots, or raise max_execution_time.",
    ),
    1352: Advice("This plan has no sessions", "Use job mode or a batch."),
    1501: Advice(
        "An observable does not fit its circuit",
        "Apply the circuit's layout to it: observable.apply_layout(circuit.layout).",
    ),
    1517: Advice(
        "A circuit uses gates or qubits the backend does not have",
        "Transpile it for this backend first: "
        "generate_preset_pass_manager(backend=backend).run(circuit).",
    ),
    1519: Advice("An option is not allowed here", "Check the primitive's options."),
    1603: Advice("A circuit could not be read", "Send circuits, not QASM of another version."),
    1999: Advice("The service is down for a planned outage", "Try again later."),
}
"""Advice by the service's error code."""

STATUSES: dict[int, Advice] = {
    401: ADVICE[1201],
    403: ADVICE[1200],
    429: ADVICE[1202],
    503: Advice("The service is not available", "It may be an outage: try again later."),
}
"""Advice by HTTP status, where the service gives no code."""

EXCEPTIONS: dict[str, Advice] = {
    "AccountAlreadyExistsError": Advice(
        "An account of that name is saved already",
        "Give another name, or pass overwrite=True to replace it.",
    ),
    "AccountNotFoundError": Advice(
        "There is no saved account",
        "Save one once with QiskitRuntimeService.save_account(token=..., instance=...).",
    ),
    "ApiIBMProtocolError": Advice(
        "The service answered something the client library does not know",
        "Update qiskit-ibm-runtime and restart the kernel.",
    ),
    "AuthenticationLicenseError": Advice(
        "The license agreement is not accepted yet", "Accept it on quantum.cloud.ibm.com."
    ),
    "CloudResourceNameResolutionError": Advice(
        "The instance's name stands for no instance", "Give the instance's CRN instead."
    ),
    "IBMAccountError": Advice(
        "The account cannot be used", "Save it again with QiskitRuntimeService.save_account(...)."
    ),
    "IBMApiError": Advice(
        "The service answered with an error", "Read its words; if they do not help, try again."
    ),
    "IBMBackendApiProtocolError": Advice(
        "The service described a backend in a way the client library does not know",
        "Update qiskit-ibm-runtime and restart the kernel.",
    ),
    "IBMBackendApiError": Advice(
        "The service could not describe a backend", "Try again in a minute, or take another one."
    ),
    "IBMBackendValueError": Advice(
        "A backend was asked for something it does not have", "Check the value that is named."
    ),
    "IBMInputValueError": Advice(
        "The client library refused a value before it was sent", "Its own words say which."
    ),
    "IBMNotAuthorizedError": ADVICE[1200],
    "InvalidAccountError": Advice(
        "The account's token, instance or channel makes no sense",
        "Save it again with QiskitRuntimeService.save_account(..., overwrite=True).",
    ),
    "QiskitBackendNotFoundError": Advice(
        "There is no such backend", "%session backends lists those there are."
    ),
    "RuntimeInvalidStateError": Advice(
        "The job is not in a state in which that can be done",
        "Look at job.status(): what is over cannot be cancelled, what is not over has no result.",
    ),
    "RuntimeJobFailureError": Advice(
        "The job failed on the service", "job.error_message() and job.logs() say more."
    ),
    "RuntimeJobMaxTimeoutError": ADVICE[1305],
    "RuntimeJobNotFound": Advice(
        "There is no such job", "Check the id, and that the account and instance are its own."
    ),
    "RuntimeJobTimeoutError": Advice(
        "The job was not done in the time that was given to wait",
        "It goes on: ask again with a longer timeout, or end it with job.cancel().",
    ),
    "RuntimeProgramNotFound": Advice(
        "The service has no such program", "Update qiskit-ibm-runtime and restart the kernel."
    ),
    "UserTimeoutExceededError": Advice(
        "The service did not answer in the time that was given to wait",
        "Ask again with a longer timeout; what was sent goes on.",
    ),
}
"""Advice by the class of an exception of the client library's, or of its base class."""
