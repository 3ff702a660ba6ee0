"""`ddib-workbench doctor`: whether all is well here."""

from workbench.cli.console import data
from workbench.cli.options import CHECKPOINTS, RUNS


def doctor(checkpoints: CHECKPOINTS = None, runs: RUNS = None) -> None:
    """Say what is here and what to do about what is not well; exit 1 when something is bad."""
    from workbench.cli.checks import checks, render

    found = checks(checkpoints or [], runs)
    data.print(render(found))
    raise SystemExit(any(check.status == "bad" for check in found))
