"""What is computed on images and latents: tensors in, numbers out."""
