"""The fault matrix; see `tests.faults.matrix`."""
