"""Kept runs: their store, curves and contact sheets."""
