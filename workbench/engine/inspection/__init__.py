"""Answers about a session without running it: latents, trajectory, cost."""
