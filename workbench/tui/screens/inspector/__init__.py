"""The latent inspector."""
