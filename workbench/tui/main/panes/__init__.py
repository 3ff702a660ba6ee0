"""The panes of the main screen, and the lines around them."""
