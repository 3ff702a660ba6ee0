"""What the screen and the engine's process say to each other."""
