"""Training checkpoints, probes and classifiers."""
