"""Metrics of latents, before the recipe's operations and after them."""
