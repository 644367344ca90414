"""Sessions of ours do what the client's do: copies, comparison, every public member."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any

import pytest
import qiskit_ibm_runtime
from qiskit_ibm_runtime import EstimatorV2, SamplerV2

from qsession_widgets import open_session
from qsession_widgets.errors import UserError

from .cells import Notebook

KINDS = [("dedicated", qiskit_ibm_runtime.Session), ("batch", qiskit_ibm_runtime.Batch)]


@dataclasses.dataclass
class _Config:
    session: Any
    shots: int


@pytest.fixture(params=KINDS, ids=["session", "batch"])
def pair(request: pytest.FixtureRequest, notebook: Notebook) -> Any:
    """A session of ours, and one of the client's on the same backend."""
    mode, kind = request.param
    ours = open_session("aer", service="local", mode=mode)
    theirs = kind(backend=ours.service.backend("aer"))
    yield ours, theirs
    theirs.close()


def test_a_copy_of_a_session_is_that_session(pair: Any) -> None:
    ours, _ = pair
    assert copy.copy(ours) is copy.deepcopy(ours) is ours
    held = {"of": [ours]}
    assert copy.deepcopy(held) == held
    config = _Config(ours, 100)
    assert dataclasses.asdict(config) == {"session": ours, "shots": 100}
    assert dataclasses.replace(config, shots=10).session is ours
    assert {ours: 1}[copy.deepcopy(ours)] == 1


@pytest.mark.parametrize("primitive", [SamplerV2, EstimatorV2])
def test_a_copied_primitive_belongs_to_the_same_session(pair: Any, primitive: Any) -> None:
    ours, theirs = pair
    # with the client's own session it can be copied as well
    for session in (ours, theirs):
        made = primitive(mode=session)
        made.options.default_shots = 10
        copied = copy.deepcopy(made)
        assert copied.options.default_shots == 10
        assert copied.mode.session_id == session.session_id
    assert copied is not made


def test_a_session_that_is_pickled_says_what_to_send_instead(pair: Any) -> None:
    ours, _ = pair
    with pytest.raises(TypeError, match=r"send session\.session_id, and take it up") as refused:
        pickle.dumps(ours)
    assert isinstance(refused.value, UserError)
    assert f"{type(ours).__name__}.from_id(session_id, service)" in str(refused.value)


def test_every_public_member_of_the_clients_sessions_is_there_and_does_the_same(pair: Any) -> None:
    ours, theirs = pair
    members = [name for name in dir(theirs) if not name.startswith("_")]
    assert set(members) <= set(dir(ours))
    for name in members:
        mine, other = (inspect.getattr_static(type(one), name) for one in pair)
        assert isinstance(mine, property) == isinstance(other, property), name
    assert ours.backend() == theirs.backend() == "aer"
    assert ours.status() == theirs.status()
    assert ours.usage() == theirs.usage()
    assert ours.details().keys() == theirs.details().keys()
    assert type(ours.session_id) is type(theirs.session_id)
    assert ours.service is not None
    assert type(ours.service) is type(theirs.service)
    again = [type(one).from_id(one.session_id, one.service) for one in pair]
    assert [one.session_id for one in again] == [one.session_id for one in pair]
    assert ours != theirs
    assert ours == ours
    assert repr(ours).startswith(f"<{type(theirs).__name__} on aer")
    for one in pair:
        with one as entered:
            assert entered is one
    assert ours.status() == theirs.status() == "Closed"
    for one in pair:
        one.cancel()
    assert ours.details()["accepting_jobs"] is theirs.details()["accepting_jobs"] is False
