"""Colours, themes, pictures as characters, graphics and keys."""
