"""A label says which class an estimate is conditioned on."""

Label = int | tuple[int, ...] | None
"""The class to condition on: one for all images of a batch, one for each, or none."""
