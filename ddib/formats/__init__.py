"""Checkpoints of other programs, found by their content and turned into the workbench's own.

One file for each format, which ends in a `FORMAT`; a new one is a new file. Nothing here executes
what a file holds.
"""
