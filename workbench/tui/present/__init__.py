"""State turned into plain values for the widgets, by pure functions."""
