"""Files, logs, names, text, number ranges and what the terminal can do."""
