"""Copying text out of the program: to the terminal's clipboard and, for want of one, to a file."""

from __future__ import annotations

from textual.app import App


def copy_text(app: App[None], text: str, name: str) -> None:
    """To the terminal's clipboard (OSC 52) and to a file of the state folder; says both."""
    from workbench.library.folders import folders
    from workbench.support.files import atomic_write, why

    app.copy_to_clipboard(text)
    path = folders().state / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, text.encode())
        kept = f"Also in {path}"
    except OSError as error:
        kept = f"{path} cannot be written: {why(error)}"
    app.notify(
        f"Sent to the terminal's clipboard; tmux needs set-clipboard on.\n{kept}",
        title="Copied",
        timeout=8,
        markup=False,
    )
