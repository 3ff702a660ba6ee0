"""Actions on runs: start, cancel, list, auto-run, live previews."""

from __future__ import annotations

from textual import work

from workbench.tui.actions import Action, key_of
from workbench.tui.main.actions.need import on_session, unless
from workbench.tui.main.base import MainBase, Opened
from workbench.tui.main.focus import show_tab
from workbench.tui.widgets.form import FieldRow


@work(group="run")
async def run(main: MainBase) -> None:
    """Run the session, behind the runs that are not ended."""
    if main.opened is None:
        return
    if wrong := next((row for row in main.query(FieldRow) if row.error), None):
        advice = f"Mend it, or take it back with {key_of('undo')}."
        main.complain(f"{wrong.error}\n{advice}", "A value is wrong")
        return
    show_tab(main, "flow")
    if main.has_class("-narrow"):  # the pane that had the focus is hidden now
        main.set_focus(main.query_one("#sheet"))
    await main.opened.running.run()


@work(group="run")
async def cancel(main: MainBase) -> None:
    """Stop the run under way, or the newest that waits; what is finished stays."""
    if main.opened is not None:
        await main.opened.running.cancel(main.opened.workspace.queue.to_cancel)


@on_session
def show_queue(_: MainBase, opened: Opened) -> None:
    """List the runs under way, waiting and ended."""
    opened.running.open_queue()


@work(group="run")
async def toggle_auto(main: MainBase) -> None:
    """Run a few images after every change of the session, or no longer."""
    if main.opened is not None:
        await main.opened.running.toggle_auto()


@work(group="run")
async def next_preview_rate(main: MainBase) -> None:
    """Show the emerging picture at another rate."""
    if main.opened is not None:
        await main.opened.running.next_rate()


ACTIONS = (
    Action(
        "run",
        "r",
        "run",
        "Encode, edit and decode",
        title="Run",
        more="run: encode, edit, decode; it waits behind a run that is under way",
        shown=True,
        handler=run,
    ),
    Action(
        "cancel",
        "c",
        "cancel",
        "Stop the run that is under way",
        title="Cancel",
        more="cancel the run under way, else the newest that waits",
        shown=True,
        handler=cancel,
        why_not=unless(lambda it: "" if it.queue.active else "Nothing is running."),
    ),
    Action(
        "queue",
        "Q",
        "queue",
        "Runs under way, waiting and ended",
        title="Queue",
        more="the queue: every run since the program started, to cancel or to show",
        handler=show_queue,
        why_not=unless(
            lambda it: "" if it.queue.runs else f"No run yet; {key_of('run')} starts one."
        ),
    ),
    Action(
        "auto",
        "A",
        "auto-run",
        "Run a few images after every change, or no longer",
        title="Auto-run",
        more="auto-run: every change runs 4 images, which are not stored",
        handler=toggle_auto,
    ),
    Action(
        "previews",
        "p",
        "previews",
        "Live pictures 4 times a second, once, or not at all",
        title="Previews",
        more="live previews: 4 per second, 1, off",
        handler=next_preview_rate,
    ),
)
