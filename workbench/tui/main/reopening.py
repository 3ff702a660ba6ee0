"""A stored run opened in place of the session, with its results."""

from __future__ import annotations

import asyncio
from pathlib import Path

from workbench.tui.main.base import MainBase


async def reopen_run(main: MainBase, path: Path) -> None:
    """Open a stored run's session, and show its results."""
    from ddib.errors import InputError
    from workbench.tui.state.runs.reopen_run import reopen

    if (opened := main.opened) is None:
        return
    try:
        reopened = await asyncio.to_thread(reopen, path)
    except InputError as error:
        main.complain(str(error), "This run cannot be opened")
        return
    await opened.running.stop_auto()
    main.open_document(reopened.document)
    if reopened.run is not None:
        opened.workspace.queue.take_up(reopened.run)
    main.show_run()
    if reopened.problems:
        main.notify(
            "\n".join(reopened.problems),
            title="Not all of it is there",
            severity="warning",
            timeout=12,
            markup=False,
        )
