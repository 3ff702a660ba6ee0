"""What is being edited and run; nothing here knows Textual."""
