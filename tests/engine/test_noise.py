"""The noise of part of a device is that part of the device's noise."""

from __future__ import annotations

import numpy as np
import pytest
from engine import jobs
from qiskit.quantum_info import SuperOp
from qiskit_aer.noise import NoiseModel

from qsession_widgets.emulator.engine.devices import device, noise


def whole(name: str, flavour: noise.Flavour) -> NoiseModel:
    with jobs.quiet():
        if flavour == "target":
            return NoiseModel.from_backend(jobs.backend(name))
        return jobs.backend(name)._get_noise_model_from_backend_v2()


@pytest.mark.parametrize("flavour", ["calibration", "target"])
@pytest.mark.parametrize("name", ["fake_manila", "fake_london", "fake_fractional"])
def test_every_error_is_upstreams(name: str, flavour: noise.Flavour) -> None:
    found = device.find(name)
    theirs = whole(name, flavour)
    places = {
        (gate, qubits): error
        for gate, by_qubits in theirs._local_quantum_errors.items()
        for qubits, error in by_qubits.items()
    }
    assert places
    for place in set(places) | set(found.gates):
        ours = noise.gate_error(found, place, flavour)
        if place not in places:
            assert ours is None, place
            continue
        assert ours is not None, place
        np.testing.assert_allclose(SuperOp(ours).data, SuperOp(places[place]).data, atol=1e-12)
    for qubits, error in theirs._local_readout_errors.items():
        ours_readout = noise.readout_error(found, qubits[0], flavour)
        np.testing.assert_allclose(ours_readout.probabilities, error.probabilities)


def test_a_model_holds_what_is_used_and_nothing_else() -> None:
    found = device.find("fake_manila")
    model = noise.build(found, [3, 1], {("sx", (0,)), ("measure", (1,))})
    assert set(model._local_quantum_errors) == {"sx"}
    assert set(model._local_quantum_errors["sx"]) == {(0,)}
    ours = SuperOp(model._local_quantum_errors["sx"][(0,)]).data
    np.testing.assert_allclose(ours, SuperOp(noise.gate_error(found, ("sx", (3,)), "calibration")))
    assert set(model._local_readout_errors) == {(1,)}


def test_a_users_model_is_cut_to_the_qubits() -> None:
    theirs = whole("fake_manila", "calibration")
    cut = noise.restrict(theirs, [4, 3])
    assert set(cut._local_quantum_errors["cx"]) == {(0, 1), (1, 0)}
    assert set(cut._local_readout_errors) == {(0,), (1,)}
    np.testing.assert_allclose(
        SuperOp(cut._local_quantum_errors["cx"][(0, 1)]).data,
        SuperOp(theirs._local_quantum_errors["cx"][(4, 3)]).data,
    )


def test_the_ideal_device_has_no_noise() -> None:
    assert noise.build(device.find("aer"), [0], {("x", (0,))}) is None
