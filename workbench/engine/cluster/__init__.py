"""Chunks solved by other processes and machines."""
