"""What moves the denoised estimate D while the ODE is solved."""
