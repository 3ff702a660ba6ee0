"""Formats of other programs' checkpoints, recognised by content and converted into our own.

Each format is one file, which registers itself. Nothing here executes what a file holds.
"""
