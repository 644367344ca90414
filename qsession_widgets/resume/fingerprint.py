"""A fingerprint of what a job asks for, from what is sent and from what the service has stored.

One canonical form is made of both. Circuits count by `circuit_digest`, arrays by their bits, and
everything else as the JSON that is sent: options, shots, precision, observables, and the notes that
a client-side primitive leaves for its post-processing. The order of dictionaries, the version of
QPY and how well something was compressed do not count.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import io
import json
import re
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, qpy
from qiskit_ibm_runtime import RuntimeEncoder

from .. import fork_safety
from .circuit_memory import REMEMBERED, CircuitDigests
from .hasher import Hasher, Unfingerprintable

OLDEST_QPY = 13
"""Formats before this one can hold pickled expressions, which run code when they are read."""

_QPY_FIELDS = ("circuit_b64", "circuit_base64", "b64_data")
_QPY_VERSIONS = ("qpy_version", "qpy")
_NO_VALUE = object()
_BASIS = re.compile(r"\bbasis_changes\.basis(\d+)\b")


@dataclass(frozen=True)
class Fingerprint:
    """A fingerprint, and digests of its parts by which two of them can be compared.

    Attributes
    ----------
    value : str
        Equal where the same is asked for at the same place.
    parts : dict
        Digests of the place, circuits, observables, values and options by these names; ``shots``
        and ``precision`` themselves; ``shape``, a digest of what a transpiler leaves as it is; and
        ``prepared`` for a program that a client-side primitive has made.
    """

    value: str
    parts: dict[str, Any] = field(default_factory=dict)


class Fingerprints:
    """Makes fingerprints, and remembers the digests of circuits."""

    def __init__(self) -> None:
        self._circuits = CircuitDigests()
        self._by_text: OrderedDict[bytes, list[tuple[bytes, tuple[Any, ...]]]] = OrderedDict()
        self._lock = fork_safety.lock()

    def of(
        self, program: str, params: Mapping[str, Any], place: Mapping[str, Any] | None = None
    ) -> Fingerprint:
        """The fingerprint of a job.

        Parameters
        ----------
        program : str
            The program that runs it.
        params : mapping
            Its parameters: objects as they are sent, or the service's JSON of a stored job.
        place : mapping, optional
            Where it runs, and what else decides about its result: service, instance, device.

        Raises
        ------
        Unfingerprintable
            They hold something that cannot be told from another, or cannot be read.
        """
        place = place or {}
        # what a simulator's noise may refer to
        walk = _Walk(self, labels=_has_noise(params.get("options")))
        whole = Hasher()
        whole.text("program", program)
        try:
            walk.feed(whole, dict(place))
            parts: dict[str, Any] = {"place": _hex(whole)}
            if pubs := params.get("pubs"):
                # each as the list that the service stores
                params = {**params, "pubs": [walk.plain(pub) for pub in pubs]}
            params = _renumbered(params)
            walk.feed(whole, dict(params))
        except Unfingerprintable:
            raise
        except Exception as error:
            raise Unfingerprintable(f"{type(error).__name__}: {error}") from error
        return Fingerprint(whole.digest().hex(), parts | walk.parts(params))

    def circuit(self, circuit: QuantumCircuit, walk: _Walk) -> tuple[bytes, tuple[Any, ...]]:
        """The digest of a circuit, and what of it a transpiler leaves as it is."""
        digest = self._circuits.of(circuit, walk.feed_metadata, labels=walk.labels)
        return digest, _shape(circuit)

    def circuits_in(self, packed: bytes, walk: _Walk) -> list[tuple[bytes, tuple[Any, ...]]]:
        """The same of circuits in QPY, compressed or not; they are read once."""
        key = Hasher()
        key.add("qpy, with labels" if walk.labels else "qpy", packed)
        with self._lock:
            if (known := self._by_text.get(key.digest())) is not None:
                self._by_text.move_to_end(key.digest())
                return known
        made = [self.circuit(circuit, walk) for circuit in _read_qpy(packed)]
        with self._lock:
            self._by_text[key.digest()] = made
            while len(self._by_text) > REMEMBERED:
                self._by_text.popitem(last=False)
        return made


class _Walk:
    """One way through the parameters of a job."""

    def __init__(self, prints: Fingerprints, *, labels: bool):
        self.labels = labels
        self._prints = prints
        self._encoder = RuntimeEncoder()
        self._circuits = Hasher()
        self._shapes = Hasher()

    def feed(self, hasher: Hasher, value: Any) -> None:
        """Take in a value, whatever it is."""
        if value is None:
            hasher.add("none")
        elif isinstance(value, str):
            hasher.text("text", value)
        elif isinstance(value, bool | int | float):
            hasher.number(value)
        elif isinstance(value, Mapping):
            self._feed_mapping(hasher, value)
        elif isinstance(value, list | tuple):
            hasher.count("list", len(value))
            for item in value:
                self.feed(hasher, item)
        elif isinstance(value, QuantumCircuit):
            self._feed_circuits(hasher, [self._prints.circuit(value, self)])
        elif isinstance(value, np.ndarray) and value.dtype != object:
            hasher.array(value)
        elif isinstance(value, np.number | np.bool_):
            hasher.number(value)
        else:
            # what the client makes of it is what the service stores
            self.feed(hasher, self._encoded(value))

    def feed_metadata(self, hasher: Hasher, value: Any) -> None:
        """Take in the metadata of a circuit, as it comes out of QPY."""
        try:
            self.feed(hasher, json.loads(json.dumps(value, cls=RuntimeEncoder)))
        except (TypeError, ValueError) as error:
            raise Unfingerprintable(f"metadata: {error}") from None

    def parts(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Digests of the parts of the parameters that were just taken in."""
        found: dict[str, Any] = {"circuits": _hex(self._circuits), "shape": _hex(self._shapes)}
        pubs = [_as_list(pub) for pub in params.get("pubs") or ()]
        estimator = any(len(pub) > 3 for pub in pubs)
        columns: dict[str, list[Any]] = {"observables": [], "values": [], "amounts": []}
        for pub in pubs:
            rest = pub[1:]
            columns["observables"].append(rest.pop(0) if estimator and rest else None)
            columns["values"].append(rest.pop(0) if rest else None)
            columns["amounts"].append(rest.pop(0) if rest else None)
        amounts = [amount for amount in columns.pop("amounts") if amount is not None]
        program = params.get("quantum_program")
        if isinstance(program, Mapping):
            amounts = [program.get("shots")]
            columns["values"] = list(program.get("items") or ())
        if amounts and all(amount == amounts[0] for amount in amounts):
            amount = amounts[0]
            # it is recorded as JSON
            found["precision" if estimator else "shots"] = (
                amount.item() if isinstance(amount, np.generic) else amount
            )
        for name, column in columns.items():
            found[name] = self._digest(column)
        rest_of = {key: value for key, value in params.items() if key != "pubs"}
        if isinstance(program, Mapping):
            kept = ("items", "circuits", "shots")
            note = {key: value for key, value in program.items() if key not in kept}
            rest_of["quantum_program"] = note
            found["prepared"] = True
        found["options"] = self._digest(rest_of)
        return found

    def _digest(self, value: Any) -> str:
        hasher = Hasher()
        # circuits in here count with the others
        other = _Walk(self._prints, labels=self.labels)
        other.feed(hasher, value)
        return _hex(hasher)

    def plain(self, value: Any) -> Any:
        """A value as the client sends it, one level deep."""
        return value if isinstance(value, list | tuple | Mapping) else self._encoded(value)

    def _encoded(self, value: Any) -> Any:
        try:
            encoded = self._encoder.default(value)
        except TypeError:
            raise Unfingerprintable(f"a value of type {type(value).__name__}") from None
        if encoded is value:
            raise Unfingerprintable(f"a value of type {type(value).__name__}")
        return encoded

    def _feed_circuits(self, hasher: Hasher, circuits: list[tuple[bytes, tuple[Any, ...]]]) -> None:
        for digest, shape in circuits:
            hasher.add("circuit", digest)
            self._circuits.add("circuit", digest)
            self._shapes.text("shape", repr(shape))

    def _feed_mapping(self, hasher: Hasher, value: Mapping[Any, Any]) -> None:
        tag, content = value.get("__type__"), value.get("__value__", _NO_VALUE)
        if tag in ("QuantumCircuit", "Instruction") and isinstance(content, str):
            if tag == "Instruction":
                hasher.text("tag", tag)
            self._feed_circuits(hasher, self._prints.circuits_in(_bytes(content), self))
            return
        if tag == "ndarray" and isinstance(content, str):
            array = np.load(io.BytesIO(zlib.decompress(_bytes(content))), allow_pickle=False)
            hasher.array(array)
            return
        if tag == "set" and isinstance(content, list | tuple):
            hasher.text("set", ",".join(sorted(map(self._digest, content))))
            return
        hasher.count("mapping", len(value))
        for key, item in sorted(_items(value), key=lambda pair: pair[0]):
            hasher.text("key", key)
            self._feed_item(hasher, value, key, item)

    def _feed_item(self, hasher: Hasher, around: Mapping[Any, Any], key: str, item: Any) -> None:
        if key in _QPY_FIELDS and _holds_circuits(around):
            self._feed_circuits(hasher, self._prints.circuits_in(_bytes(item), self))
        elif key in _QPY_VERSIONS and _holds_circuits(around):
            # the same circuits in another format
            hasher.add("any")
        elif key == "data" and {"shape", "dtype"} <= {*around} and isinstance(item, str):
            hasher.add("tensor", _unpacked(item))
        elif key == "samplex_json" and isinstance(item, str):
            self._feed_nested(hasher, item)
        else:
            self.feed(hasher, item)

    def _feed_nested(self, hasher: Hasher, value: Any) -> None:
        """Take in JSON whose texts are JSON again, as a samplex is written."""
        if isinstance(value, str) and value[:1] in ("{", "["):
            try:
                self._feed_nested(hasher, json.loads(value))
                return
            except ValueError:
                pass
        if isinstance(value, Mapping):
            hasher.count("mapping", len(value))
            for key, item in sorted(_items(value), key=lambda pair: pair[0]):
                hasher.text("key", key)
                if key in (*_QPY_FIELDS, *_QPY_VERSIONS) and _holds_circuits(value):
                    self._feed_item(hasher, value, key, item)
                else:
                    self._feed_nested(hasher, item)
        elif isinstance(value, list):
            hasher.count("list", len(value))
            for item in value:
                self._feed_nested(hasher, item)
        else:
            self.feed(hasher, value)


def _items(value: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    # numbers as keys are texts in JSON; where the client marks them, the mark counts
    return ((str(key), item) for key, item in value.items())


def _holds_circuits(value: Mapping[Any, Any]) -> bool:
    """Check whether something holds circuits as a text, with its format beside it."""
    texts = any(isinstance(value.get(name), str) for name in _QPY_FIELDS)
    return texts and any(name in value for name in _QPY_VERSIONS)


def _renumbered(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters whose changes of basis are numbered from 0, in their order.

    Who prepares a program numbers them on and on, as long as the process lasts.
    """
    program = params.get("quantum_program")
    items = program.get("items") if isinstance(program, Mapping) else None
    if not isinstance(program, Mapping) or not isinstance(items, list):
        return params
    numbers = sorted({int(number) for item in items for number in _BASIS.findall(json.dumps(item))})
    ranks = {str(number): f"basis_changes.basis#{rank}" for rank, number in enumerate(numbers)}
    if not ranks:
        return params

    def again(item: Any) -> Any:
        return json.loads(_BASIS.sub(lambda found: ranks[found[1]], json.dumps(item)))

    return {**params, "quantum_program": {**program, "items": [again(item) for item in items]}}


def _has_noise(options: Any) -> bool:
    """Check whether options give a simulator a noise model."""
    if not isinstance(options, Mapping):
        return False
    return any(
        bool(value) if key == "noise_model" else _has_noise(value) for key, value in options.items()
    )


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _hex(hasher: Hasher) -> str:
    return hasher.digest().hex()[:16]


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unfingerprintable("a text that is not base64") from None


def _unpacked(text: str) -> bytes:
    packed = _bytes(text)
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return packed


def _read_qpy(packed: bytes) -> list[QuantumCircuit]:
    data = packed if packed.startswith(b"QISKIT") else zlib.decompress(packed)
    if qpy.get_qpy_version(io.BytesIO(data)) < OLDEST_QPY:
        raise Unfingerprintable("an old version of QPY")
    try:
        schemas = importlib.import_module("ibm_quantum_schemas.common.qpy")
        factories = schemas.ANNOTATION_FACTORIES
    except (ImportError, AttributeError):
        factories = {}
    return list(qpy.load(io.BytesIO(data), annotation_factories=factories))


def _shape(circuit: QuantumCircuit) -> tuple[Any, ...]:
    """The part of a circuit that a transpiler leaves as it is: registers, number of parameters."""
    registers = tuple((register.name, len(register)) for register in circuit.cregs)
    return registers, circuit.num_parameters


def contents_of(program: str, params: Mapping[str, Any]) -> str:
    """The fingerprint of what a submit or a stored job asks for; empty where there is none."""
    try:
        return Fingerprints().of(program, params).value
    except Unfingerprintable:
        return ""
