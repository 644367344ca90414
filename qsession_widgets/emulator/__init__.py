"""A Qiskit Runtime service on this machine: IBM's REST API and session rules, with Aer behind.

It runs as a process of its own (`server`). The unmodified ``qiskit_ibm_runtime`` client connects to
it, so that everything above it runs the same lines against IBM and against Aer. Outside of this
package only those import it who find it, start it or set its options; see
``tests/packaging/test_layers.py``.
"""
