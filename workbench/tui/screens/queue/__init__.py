"""The runs since the program started."""
