"""Optimal transport, where the plan is known."""

import numpy as np
import pytest

pytest.importorskip("ot")

from ddib.measures.transport import projections


def test_on_a_line_the_exact_plan_keeps_the_order() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.uniform(-1, 1, (2, 30, 1))
    moved = projections(x, y**3)["ot"]
    assert np.allclose(moved[np.argsort(x[:, 0])], np.sort(y**3, axis=0))


def test_fewer_targets_are_shared() -> None:
    moved = projections(np.array([[0.0, 0, 0], [1, 1, 1]]), np.array([[2.0, 0, 0]]))
    assert np.allclose(moved["ot"], [[2, 0, 0], [2, 0, 0]])
    assert np.allclose(moved["sinkhorn"], [[2, 0, 0], [2, 0, 0]])


def test_sinkhorn_is_near_the_exact_plan_where_it_is_clear_and_means_where_it_is_not() -> None:
    x = np.array([[-1.0, 0, 0], [1, 0, 0]])
    y = np.array([[-1.0, 0.1, 0], [1, 0.1, 0]])
    moved = projections(x, y)
    assert np.allclose(moved["sinkhorn"], moved["ot"], atol=1e-6)
    same = projections(np.zeros((2, 3)), y)["sinkhorn"]
    assert np.allclose(same, y.mean(0), atol=1e-6)
