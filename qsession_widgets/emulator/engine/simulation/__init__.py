"""From circuits to outcomes: compaction, partition, choice of method, sampling on Aer."""
