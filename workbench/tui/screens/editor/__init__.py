"""The session as YAML in the user's editor."""
