"""The shares of the clean image and of the noise in a state at a noise level σ.

z = x̄/√(1+σ²) is the variance-preserving state, x̄ = x + σε.
"""

from math import hypot, inf


def signal(sigma: float) -> float:
    """Return √ᾱ = 1/√(1+σ²), the share of the clean image in z; 0 at σ = ∞."""
    return 1 / hypot(1, sigma)


def noise(sigma: float) -> float:
    """Return √(1-ᾱ) = σ/√(1+σ²), the share of the noise in z; 1 at σ = ∞."""
    return 1.0 if sigma == inf else sigma / hypot(1, sigma)
