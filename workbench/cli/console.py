"""The two consoles of the command line: stdout carries data, stderr narration."""

from rich.console import Console

data = Console(highlight=False, soft_wrap=False)
narrate = Console(stderr=True, highlight=False)
