"""Encode, decode, and the cache of what was solved."""
