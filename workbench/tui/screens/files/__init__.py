"""Opening and saving sessions."""
