"""From a network to the denoiser D(z, σ, label)."""
