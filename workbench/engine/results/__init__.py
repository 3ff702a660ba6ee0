"""The results of a run as they come in, and the run directory they become."""
