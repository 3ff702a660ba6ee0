"""Fitting to a checkpoint: its σ grid, the number of steps, how its network is evaluated."""
