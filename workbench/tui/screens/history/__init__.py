"""The kept runs."""
