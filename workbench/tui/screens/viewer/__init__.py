"""Pictures looked at closely."""
