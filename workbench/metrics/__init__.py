"""The figures that are reported of a run."""
