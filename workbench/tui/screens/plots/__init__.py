"""A sweep as curves."""
