"""Runs of this program and stored runs, as the screen knows them."""
