"""The messages between the screen and the engine's process, and the screen's client."""
