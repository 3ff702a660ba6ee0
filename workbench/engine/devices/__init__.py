"""The device that networks are evaluated on, and its memory."""
