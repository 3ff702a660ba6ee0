"""The engine: runs sessions, in this process (replay) or in one of its own (the screen)."""
