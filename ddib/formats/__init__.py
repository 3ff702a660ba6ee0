"""Checkpoints of other programs, found by their content and turned into the workbench's own.

Nothing here executes what a file holds.
"""
