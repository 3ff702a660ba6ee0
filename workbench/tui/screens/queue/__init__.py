"""The runs of a sitting."""
