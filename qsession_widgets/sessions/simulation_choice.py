"""Options of a session that say how the emulator simulates its circuits."""

from __future__ import annotations

from ..client.selection import Target
from ..errors import ServiceError, UserError
from ..options.open_options import OpenOptions


def choose_simulation(target: Target, session_id: str, options: OpenOptions, word: str) -> None:
    """Tell the emulator how to simulate a session's circuits, where that was asked for.

    Raises
    ------
    UserError
        The emulator does not know such options, or does not answer.
    """
    wishes = dict(options.simulation)
    if options.strict:
        wishes["strict"] = True
    if not wishes or target.info.kind != "local":
        return
    client = target.client.clone()
    try:
        client.set_simulation(session_id, wishes)
    except ServiceError as error:
        raise UserError(
            f"The emulator cannot be told how to simulate this {word}: {error}. If an older "
            "version started it, end it with qsession emulator stop."
        ) from None
    finally:
        client.close()
