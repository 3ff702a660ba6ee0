"""Where images and points come from."""
