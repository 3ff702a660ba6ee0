"""Noise schedules and the σ grids that solvers walk along."""
