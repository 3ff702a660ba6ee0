"""The source images that are there, and which of them the session takes."""
