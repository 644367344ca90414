"""A Qiskit Runtime service on this machine: the REST API and the session rules of IBM's, with Aer
behind them.

It runs as a process of its own (`server`). The unmodified ``qiskit_ibm_runtime`` client connects to
it, so that everything above it runs the same lines against IBM and against Aer. Nothing outside
this package imports it, except `service`, which starts it.
"""
