"""Files, logs, YAML text, number ranges and what the terminal can do."""
