"""Parts of ``qiskit_ibm_runtime`` that it keeps private, and that there is no public way around.

- ``QiskitRuntimeService._get_api_client(instance)``, and of what it returns ``_session`` (``auth``,
  ``base_url``, ``verify``, ``proxies``): to ask the service for raw session fields, which
  ``Session.details()`` drops, over a connection of our own;
- ``QiskitRuntimeService._create_new_cloud_api_client(instance)``: to ask another instance of the
  same account without connecting anew, which takes several questions;
- ``QiskitRuntimeService._get_api_clients()`` and ``._backend_configs``: to give back connections
  and memory when a session is over;
- ``IBMBackend._instance``: the instance that a backend was found in;
- ``Session._run``, ``Session._active`` and ``Session._session_id``: to notice a submit from this
  kernel, and to tell the client of an end it cannot see and of an opening that was put off;
- ``RuntimeJobV2._session_id``: to tell a job that was taken up which session it ran in.

What of the library is replaced while a session is bound stands in
`qsession_widgets.sessions.patches`. ``tests/unit/test_client.py`` fails when one of them is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from .. import fork_safety
from .connection_gate import reading_environment

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService

_creating = fork_safety.lock()
_counting = fork_safety.lock()
_quiet = 0
_level = logging.NOTSET


def api_client(service: QiskitRuntimeService, instance: str | None) -> Any:
    """The client library's own client of the REST API, for an instance or the active one."""
    from qiskit_ibm_runtime.exceptions import IBMInputValueError

    try:
        return service._get_api_client(instance)
    except IBMInputValueError:
        # the client makes them for what it was asked for only; it does so by a field of its own,
        # and must not be asked twice at once
        with _creating, reading_environment():
            return service._create_new_cloud_api_client(str(instance))


def account_instances(service: QiskitRuntimeService) -> list[dict[str, Any]]:
    """Every instance that a service's account reaches: ``crn``, ``name``, ``plan``.

    Empty when the account does not tell, which keeps no job from running.
    """
    try:
        with quiet_client():
            return [dict(item) for item in service.instances()]
    except Exception:
        return []


def account_instance(service: QiskitRuntimeService) -> str | None:
    """The instance (CRN) a service uses at this moment."""
    return cast("str | None", service._get_api_client()._instance)


def backend_instance(backend: IBMBackend) -> str | None:
    """The instance (CRN) that a backend was found in."""
    return cast("str | None", backend._instance)


def api_url(service: QiskitRuntimeService, instance: str | None = None) -> str:
    """The URL of the REST API a service talks to, about an instance or the active one."""
    return cast(str, api_client(service, instance)._session.base_url)


def release(service: QiskitRuntimeService) -> None:
    """Close a service's connections, and drop what it has read of backends (1 MB each).

    What uses it afterwards asks again.
    """
    for client in list(service._get_api_clients().values()):
        if client is not None:
            client._session.close()
    # earlier releases of the client library have none
    getattr(service, "_backend_configs", {}).clear()


def set_active(session: Any, active: bool) -> None:
    """Tell the client's session object whether it may still be used.

    A session that ended by timeout, or from elsewhere, looks usable to the client until a call
    fails.
    """
    session._active = active


def set_session(of: Any, session_id: str | None) -> None:
    """Tell the client's session, or its job, which session of the service's it is, or is of."""
    of._session_id = session_id


def same_account(one: QiskitRuntimeService, other: QiskitRuntimeService) -> bool:
    """True if two service objects talk to the same place."""
    return one is other or api_url(one) == api_url(other)


@contextmanager
def quiet_client() -> Iterator[None]:
    """Keep the client's remarks on accounts and instances out of the notebook.

    Several threads may be in such a block at once; the level is put back by the last one.
    """
    global _quiet, _level
    logger = logging.getLogger("qiskit_ibm_runtime")
    with _counting:
        if not _quiet:
            _level = logger.level
            logger.setLevel(logging.ERROR)
        _quiet += 1
    try:
        yield
    finally:
        with _counting:
            _quiet -= 1
            if not _quiet:
                logger.setLevel(_level)
