"""A finished run that ships with the program: `ddib-workbench --demo` opens it."""

from pathlib import Path

RUN = Path(__file__).parent / "run"
