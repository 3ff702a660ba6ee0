"""The denoiser D(z, σ, label) and how a network becomes one."""
