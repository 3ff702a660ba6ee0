"""Primitives of metrics: functions from images and latents to numbers."""
