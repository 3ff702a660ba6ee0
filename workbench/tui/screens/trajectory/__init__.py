"""The trajectory of one image."""
