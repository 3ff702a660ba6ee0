"""What is being worked on: a session with its edits, its images, its runs, and the library.

The screen imports this after its first frame; everything heavy hangs below here.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from ddib.data.file_names import escape_name
from workbench.engine.protocol.messages import RunSession, Sample
from workbench.library.checkpoints import Listed
from workbench.library.folders import folders
from workbench.runs.store import has_runs
from workbench.session.schema import Session
from workbench.tui.state.runs.run_queue import RunQueue
from workbench.tui.state.runs.run_state import RunState
from workbench.tui.state.session.document import Document
from workbench.tui.state.session.editor import SessionEditor
from workbench.tui.state.session.image_entries import ImageEntries
from workbench.tui.state.session.library import Library


class Workspace:
    """One session and all that belongs to it while it is open."""

    def __init__(
        self,
        document: Document,
        listed: Sequence[Listed],
        runs: Path | None = None,
        queue: RunQueue | None = None,
    ) -> None:
        """`listed`: the library; `runs`: the folder of stored runs, if not the usual one."""
        self.document = document
        self.library = Library(list(listed))
        self.editor = SessionEditor(document, self.library)
        self.images = ImageEntries(document, self.library)
        self.queue = queue or RunQueue()
        self._runs = runs

    @property
    def session(self) -> Session:
        """The session as it stands."""
        return self.document.session

    @property
    def run(self) -> RunState | None:
        """The run that is shown."""
        return self.queue.shown

    @property
    def store(self) -> Path:
        """The folder of stored runs."""
        return self._runs or folders().runs

    @property
    def has_history(self) -> bool:
        """Whether there are stored runs."""
        return has_runs(self.store)

    def queue_run(self, *, auto: bool = False) -> RunSession:
        """Queue a run of the session as it stands; return what to send to the engine."""
        document, run_id = self.document, uuid.uuid4().hex
        self.queue.add(RunState(run_id, self.session, document.stem, document.base, auto))
        return RunSession(
            id=run_id,
            session=self.session.model_dump(mode="json"),
            base=escape_name(document.base),
            name=escape_name(document.stem),
            store=None if self._runs is None else escape_name(self._runs),
            keep=not auto,
            sample=Sample() if auto else None,
            previews_per_second=self.queue.previews,
        )
