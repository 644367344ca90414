"""Advice for errors of Python's that come of code written for other releases, or half written.

Each pattern stands for a family of calls. The advice names what is bound in the notebook:
``{backend}``, ``{session}`` and ``{service}`` stand for the expressions that a cell may use, and
``{registers}`` for the classical registers of the result that was asked.
"""

from __future__ import annotations

from .service_errors import ADVICE, Advice

_LEAVE_OUT = "a primitive without a mode belongs to the session that %%session opened"
_SEND = (
    "Transpile the circuit, generate_preset_pass_manager(backend={backend}).run(circuit), and send "
    "it with SamplerV2().run([circuit]) or EstimatorV2().run([(circuit, observable)])."
)
_RESULT = Advice(
    "A result is a list with one entry a PUB",
    "Write result()[0].data.evs of an estimator, result()[0].data.meas.get_counts() of a sampler; "
    "meas is the circuit's classical register.",
)
_REMOVED = "(execute|assemble|QuantumInstance)"
_PROVIDERS = r"(IBMQ|IBMProvider|job_monitor)"
_OPTIONS = "(Sampler|Estimator)Options|OptionsV2"

OLD_CALLS: dict[str, Advice] = {
    r"A backend or session must be specified": Advice(
        "This primitive has no session to run in",
        "Open one with %%session above a cell, or pass mode={backend} to run outside of sessions.",
    ),
    r"mode must be of type Backend": Advice(
        "mode takes a session or a backend itself, not its name", f"Leave it out: {_LEAVE_OUT}."
    ),
    r"(Sampler|Estimator)\w*\.__init__\(\) got an unexpected keyword argument '(backend|"
    r"session)'": Advice("A primitive takes mode=", f"Leave it out: {_LEAVE_OUT}."),
    r"Session\.__init__\(\) (missing|got an unexpected)|Invalid backend type <class": Advice(
        "Session takes a backend itself",
        f"Leave the block out: {_LEAVE_OUT}; or write Session(backend={{backend}}).",
    ),
    r"Session\.from_id\(\) missing": Advice(
        "A session is found in its service",
        "Write Session.from_id(id, service={service}), or %session attach ID, which binds it.",
    ),
    r"Invalid max_time value": Advice(
        "A maximum time is a number of seconds, or hours and minutes as in '1h 30m'",
        "Write --max-time 1h on the %%session line; its help says what a plan allows.",
    ),
    r"(Sampler|Estimator)\w*\.run\(\) (takes \d|got an unexpected keyword argument '(circuits|"
    r"observables|parameter_values)')|An invalid (Sampler|Estimator) pub-like": Advice(
        "run takes a list of PUBs",
        "Write sampler.run([(circuit, parameters)]) or estimator.run([(circuit, observable, "
        "parameters)]).",
    ),
    r"'(PrimitiveResult|\w*PubResult)' object has no attribute": _RESULT,
    r"'RuntimeJob\w*' object has no attribute '(get_counts|get_memory|get_probabilities|counts|"
    r"quasi_dists|values|data)'": _RESULT,
    r"'DataBin' object has no attribute": Advice(
        "A sampler's counts lie under the circuit's classical registers, in this result "
        "{registers}",
        "Write result()[0].data, the register's name, and .get_counts(); measure_all() names its "
        "register meas, and QuantumCircuit(n, n) c. An estimator's values are in data.evs.",
    ),
    r"'BitArray' object has no attribute": Advice(
        "The outcomes of a register are a BitArray",
        "get_counts() counts them, get_bitstrings() lists them shot by shot.",
    ),
    r"'QiskitRuntimeService' object has no attribute '(get_backend|available_backends)'": Advice(
        "A service finds backends by backend(), backends() and least_busy()",
        "Write {service}.backend('ibm_fez'), for example; {backend} is the session's own.",
    ),
    r"'(QiskitRuntimeService|Session|Batch)' object has no attribute '(run|program|programs|"
    r"sampler|estimator|upload_program)'": Advice(
        "Jobs are sent by primitives, not by services and sessions", _SEND
    ),
    r"'channel' can only be|Invalid `channel` value": Advice(
        "There is no channel of that name: ibm_quantum has given way to ibm_quantum_platform",
        "Leave channel= out, and give the API key of quantum.cloud.ibm.com as token=; what is "
        "bound here needs no new service, it has {service}.",
    ),
    r"QiskitRuntimeService\.(__init__|save_account)\(\) got an unexpected keyword": Advice(
        "A service takes token=, instance= and channel= and no longer auth, hub, group or project",
        "Give the API key as token=, and the instance's CRN or name as instance=.",
    ),
    r"Support for backend\.run\(\) has been removed": Advice(
        "Backends of IBM's have no run() any more", _SEND
    ),
    rf"cannot import name '{_REMOVED}' from 'qiskit|NameError: name '{_REMOVED}' is not": Advice(
        "This way of running circuits was removed from Qiskit", _SEND
    ),
    rf"No module named '(qiskit\.providers\.ibmq|qiskit_ibm_provider|qiskit\.tools)|cannot import "
    rf"name '{_PROVIDERS}' from 'qiskit|NameError: name '{_PROVIDERS}' is not": Advice(
        "The packages before qiskit-ibm-runtime are gone, with IBMQ and IBMProvider",
        "Write {service}.backend(name) or {service}.least_busy(); the panel shows jobs as they "
        "run, and job.status() says how one is.",
    ),
    r"cannot import name '(Aer|BasicAer)' from 'qiskit|No module named 'qiskit\.providers\."
    r"(aer|basicaer)": Advice(
        "Aer is a package of its own",
        "Write from qiskit_aer import AerSimulator; %%session --service local --backend aer runs "
        "primitives on it.",
    ),
    r"No module named 'qiskit\.(test|providers\.fake_provider\.)|cannot import name 'Fake\w+' from "
    r"'qiskit\.": Advice(
        "The fake devices are in the client library",
        "Write from qiskit_ibm_runtime.fake_provider import FakeManilaV2, for example, or open a "
        "session on one: %%session --service local --backend fake_manila.",
    ),
    r"No module named 'qiskit\.(algorithms|opflow|ignis|aqua|chemistry|finance|"
    r"optimization|machine_learning)": Advice(
        "This part of Qiskit was removed, or became a package of its own",
        "Algorithms are in qiskit-algorithms; SparsePauliOp stands for opflow's operators; an "
        "estimator's resilience_level stands for ignis.",
    ),
    r"cannot import name '\w*(Sampler|Estimator)(V1)?' from 'qiskit": Advice(
        "There are no primitives of the first version any more",
        "Import SamplerV2 and EstimatorV2 from qiskit_ibm_runtime.",
    ),
    rf"ValidationError: .*(({_OPTIONS})\W+optimization_level)": Advice(
        "Primitives do not transpile, and have no optimization_level",
        "Pass it where the circuit is transpiled: generate_preset_pass_manager("
        "optimization_level=3, backend={backend}).",
    ),
    rf"ValidationError: .*(({_OPTIONS})\W+shots)": Advice(
        "There is no option shots",
        "Write options={{'default_shots': 1000}}, or sampler.run([circuit], shots=1000).",
    ),
    r"ValidationError: .*SamplerOptions\W+resilience": Advice(
        "A sampler has no resilience levels",
        "Its error suppression is in options.dynamical_decoupling and options.twirling.",
    ),
    rf"ValidationError: .*({_OPTIONS})|cannot import name 'Options' from 'qiskit_ibm_runtime|"
    r"Invalid 'options' type|'(Sampler|Estimator)\w*' object has no attribute '(set_options|"
    r"shots|resilience_level|optimization_level)'": Advice(
        "Each primitive has options of its own",
        "Give them as a dict, SamplerV2(options={{'default_shots': 1000}}), or set them on "
        "sampler.options; Options of the first primitives fit neither.",
    ),
    r"'QuantumCircuit' object has no attribute '(cnot|toffoli|fredkin|u[123]|cu[13]|iden|"
    r"bind_parameters|qasm|squ|unitary_gate|snapshot\w*)'": Advice(
        "Qiskit has removed this older name",
        "cx, ccx, cswap, u and p are the gates; assign_parameters binds values, and "
        "qiskit.qasm2.dumps(circuit) writes OpenQASM.",
    ),
    r"not supported by the target system|the target system requires": ADVICE[1517],
    r"does not match the number of qubits of the .*observable": ADVICE[1501],
    r"^StopIteration: $": Advice(
        "There is nothing in the result", "The circuit measures nothing: add measure_all() to it."
    ),
}
"""Advice by what an error of Python's says (a regular expression), with its class before it."""
