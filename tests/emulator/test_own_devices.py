"""Devices of the user's own: pulled from an account, copied, from files, on a lattice."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from emulator.conftest import Api
from qiskit import QuantumCircuit
from qiskit.providers import QiskitBackendNotFoundError
from qiskit.transpiler import generate_preset_pass_manager

from qsession_widgets.cli.main import main
from qsession_widgets.emulator.engine.devices import own_devices

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No device of one test is there in the next."""
    yield
    for name in own_devices.versions():
        own_devices.remove(name)


def device(*words: str) -> None:
    assert main(["emulator", "device", *words]) == 0


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The only line of a command that is refused."""
    assert main(["emulator", "device", *words]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    return said.err


def ready(circuit: QuantumCircuit, backend: IBMBackend, **options: Any) -> QuantumCircuit:
    passes = generate_preset_pass_manager(1, backend=backend, seed_transpiler=1, **options)
    return passes.run(circuit)


def played(backend: IBMBackend, name: str) -> dict[tuple[int, ...], tuple[float, float]]:
    """Error and duration of a gate, by its qubits."""
    return {
        place: (properties.error, properties.duration)
        for place, properties in backend.target[name].items()
    }


def flips(backend: IBMBackend, shots: int = 4000) -> float:
    """How often an X on a qubit is read as 0."""
    from qiskit_ibm_runtime import SamplerV2

    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    isa = ready(circuit, backend, initial_layout=[0])
    counts = SamplerV2(mode=backend).run([isa], shots=shots).result()[0].data.meas.get_counts()
    return float(counts.get("0", 0) / shots)


def test_device_like_another_is_served_by_its_name(
    service: QiskitRuntimeService, capsys: pytest.CaptureFixture[str]
) -> None:
    device("add", "ibm_mine", "--like", "fake_sherbrooke")
    assert capsys.readouterr().out == (
        "ibm_mine, 127 qubits. Emulated on this machine from the data of fake_sherbrooke, "
        "calibrated 2025-02-26.\n"
    )
    # the emulator was running before, and nobody has told it
    assert [b.name for b in service.backends(name="ibm_mine")] == ["ibm_mine"]
    backend = service.backend("ibm_mine")
    like = service.backend("fake_sherbrooke")
    assert played(backend, "ecr") == played(like, "ecr")
    assert backend.configuration().description.endswith("calibrated 2025-02-26.")
    assert flips(backend) < 0.2


def test_noise_follows_the_data(service: QiskitRuntimeService, tmp_path: Path) -> None:
    source = service.backend("fake_manila")
    configuration = source.configuration().to_dict()
    properties = source.properties().to_dict()
    for entry in properties["qubits"][0]:
        if entry["name"] in ("prob_meas0_prep1", "readout_error"):
            entry["value"] = 0.4
    files = []
    for data in (configuration, properties):
        path = tmp_path / f"{len(files)}.json"
        path.write_text(json.dumps(data, default=str))
        files.append(str(path))
    device("add", "mine", "--config", files[0], "--properties", files[1])
    assert flips(service.backend("mine")) == pytest.approx(0.4, abs=0.05)
    # data of the same name and another day are other data
    for entry in properties["qubits"][0]:
        if entry["name"] in ("prob_meas0_prep1", "readout_error"):
            entry["value"] = 0.1
    Path(files[1]).write_text(json.dumps(properties, default=str))
    device("add", "mine", "--config", files[0], "--properties", files[1])
    assert flips(service.backend("mine")) == pytest.approx(0.1, abs=0.04)


def test_pulled_device_is_the_accounts(
    service: QiskitRuntimeService, capsys: pytest.CaptureFixture[str]
) -> None:
    device("pull", "ibm_kingston")
    assert "from ibm_kingston as pulled on 2" in capsys.readouterr().out
    device("pull", "ibm_kingston", "--as", "kingston_today")
    pulled = service.backend("kingston_today", use_fractional_gates=None)
    # the client keeps a backend's configuration as another test may have asked for it first
    from qiskit_ibm_runtime import QiskitRuntimeService

    original = QiskitRuntimeService().backend("ibm_kingston", use_fractional_gates=None)
    assert set(pulled.operation_names) == set(original.operation_names)
    for name in ("cz", "rzz", "sx", "measure", "measure_2"):
        assert played(pulled, name) == played(original, name)
    assert pulled.configuration().dt == original.configuration().dt
    assert pulled.configuration().rep_delay_range == original.configuration().rep_delay_range
    assert pulled.properties().last_update_date == original.properties().last_update_date
    assert pulled.properties().t1(3) == pytest.approx(original.properties().t1(3))


def test_stored_devices_are_for_their_owner_only() -> None:
    device("add", "mine", "--like", "fake_manila")
    (path,) = own_devices.folder().glob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("lattice", ["heavy-hex", "grid", "line"])
def test_device_on_a_lattice(service: QiskitRuntimeService, lattice: str) -> None:
    from qiskit_ibm_runtime import SamplerV2

    # the client remembers a configuration by its name
    name = f"wide_{lattice[:4]}"
    device("add", name, "--qubits", "211", "--lattice", lattice)
    backend = service.backend(name)
    assert backend.num_qubits == 211
    graph = backend.coupling_map
    assert graph.is_connected()
    degrees = {len(set(graph.neighbors(qubit))) for qubit in range(211)}
    assert max(degrees) == {"heavy-hex": 3, "grid": 4, "line": 2}[lattice]
    errors = {properties.error for properties in backend.target["cz"].values()}
    assert len(errors) == 1
    assert 0 < errors.pop() < 0.01
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure_all()
    counts = SamplerV2(mode=backend).run([ready(circuit, backend)], shots=500).result()
    found = counts[0].data.meas.get_counts()
    assert found["000"] + found["111"] > 400


def test_thousand_qubits(service: QiskitRuntimeService) -> None:
    device("add", "huge", "--qubits", "1000", "--lattice", "heavy-hex", "--like", "ibm_fez")
    backend = service.backend("huge", use_fractional_gates=True)
    assert backend.num_qubits == 1000
    assert {"rx", "rzz"} <= set(backend.operation_names)
    assert flips(backend, 500) < 0.2


def test_list_and_remove(service: QiskitRuntimeService, capsys: pytest.CaptureFixture[str]) -> None:
    device("list")
    assert "no devices" in capsys.readouterr().out
    device("add", "mine", "--like", "fake_manila")
    capsys.readouterr()
    device("list", "--json")
    line = json.loads(capsys.readouterr().out)
    assert (line["name"], line["qubits"], line["calibrated"]) == ("mine", 5, "2024-05-27")
    assert service.backend("mine", calibration_id=line["calibration_id"]).num_qubits == 5
    device("remove", "mine")
    with pytest.raises(QiskitBackendNotFoundError):
        service.backend("mine")


def test_refusals(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    for words, expected in (
        (("add", "mine"), "with --config and --properties, with --like DEVICE"),
        (("add", "aer", "--like", "fake_fez"), "cannot be named 'aer'"),
        (("add", "no-good", "--like", "fake_fez"), "letters, digits and _"),
        (("add", "mine", "--like", "nowhere"), "no backend nowhere"),
        (("add", "mine", "--like", "aer"), "has no calibration"),
        (("add", "mine", "--qubits", "10"), "both --qubits and --lattice"),
        (("add", "mine", "--qubits", "0", "--lattice", "grid"), "from 1 to"),
        (("add", "mine", "--qubits", "9", "--lattice", "round"), "heavy-hex, grid, line"),
        (("add", "mine", "--config", str(empty)), "both --config and --properties"),
        (("add", "mine", "--config", str(empty), "--properties", "gone"), "cannot be read"),
        (("add", "mine", "--config", str(empty), "--properties", str(empty)), "has no n_qubits"),
        (("remove", "mine"), "added no device 'mine'"),
    ):
        assert expected in refused(capsys, *words)


# --------------------------------------------------------------------------------------------------
# State


@pytest.fixture
def states(api: Api) -> Iterator[Any]:
    """Puts devices into a state; all work again after the test."""
    changed = set()

    def put(name: str, state: str) -> None:
        changed.add(name)
        device("state", name, state, "--name", api.connection.name)

    yield put
    for name in changed:
        device("state", name, "active", "--name", api.connection.name)


def test_device_under_maintenance(api: Api, service: QiskitRuntimeService, states: Any) -> None:
    states("fake_manila", "maintenance")
    states("ibm_aachen", "maintenance")
    status = service.backend("fake_manila").status()
    assert (status.operational, status.status_msg) == (True, "maintenance")
    assert service.least_busy(min_num_qubits=156).name != "ibm_aachen"
    job = api.submit("fake_manila")
    assert api.get(f"/jobs/{job}")["state"]["status"] == "Queued"
    states("fake_manila", "active")
    assert api.wait(job)["state"]["status"] == "Completed"


def test_retired_device(api: Api, service: QiskitRuntimeService, states: Any) -> None:
    job = api.submit("ibm_manila")
    api.wait(job)
    states("ibm_manila", "retired")
    with pytest.raises(QiskitBackendNotFoundError):
        service.backend("ibm_manila")
    body = {"program_id": "sampler", "backend": "ibm_manila", "params": {"pubs": []}}
    status, error = api.refused("POST", "/jobs", json=body)
    assert status == 404
    assert "retired" in error["solution"]
    assert api.refused("POST", "/sessions", json={"backend": "ibm_manila"})[0] == 404
    # what ran on it stays
    assert api.get(f"/jobs/{job}")["state"]["status"] == "Completed"


def test_unknown_state(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    name = api.connection.name
    said = refused(capsys, "state", "ibm_fez", "broken", "--name", name)
    assert "active, maintenance, retired" in said
    assert "not found" in refused(capsys, "state", "ibm_nowhere", "retired", "--name", name)
