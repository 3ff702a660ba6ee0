"""Noise schedules and the shares of image and noise at a level."""

import numpy as np
import pytest

from ddib.schedules.levels import noise, signal
from ddib.schedules.noise_schedules import linear


def test_signal_and_noise_at_the_ends() -> None:
    assert (signal(np.inf), noise(np.inf)) == (0, 1)
    assert (signal(0.0), noise(0.0)) == (1, 0)
    assert signal(3.0) ** 2 + noise(3.0) ** 2 == pytest.approx(1)


def test_linear_schedule_is_ddpm() -> None:
    sigmas = linear(1000)
    assert sigmas[0] ** 2 == pytest.approx(1e-4 / (1 - 1e-4))
    assert sigmas[-1] == pytest.approx(157.4, abs=0.1)
