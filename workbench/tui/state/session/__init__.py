"""The session being edited: its undo, its file, and edits of it."""
