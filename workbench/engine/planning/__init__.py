"""What a session asks for, checked, and cut into chunks of work."""
