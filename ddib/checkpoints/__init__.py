"""The checkpoint file: its header, reading, writing, and the model it becomes."""
