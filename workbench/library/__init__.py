"""The folders, the configuration, and the checkpoints and images that are there."""
