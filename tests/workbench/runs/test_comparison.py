"""Comparing two runs: the same bytes, or the largest difference."""

import numpy as np
import pytest
from PIL import Image
from written_runs import write_run

from ddib.errors import InputError
from workbench.runs import comparison as comparing
from workbench.runs.comparison import compare_runs


def test_equal_runs_have_the_same_bytes(tmp_path):
    first, second = write_run(tmp_path), write_run(tmp_path, title="of another day")
    found = compare_runs(first, second)
    assert found.same_bytes
    assert found.within(0, 0)


def test_the_largest_difference_is_found(tmp_path):
    latents = {"source": np.zeros((2, 3, 4, 4), np.float32)}
    pixels = np.zeros((4, 4, 3), np.uint8)
    first = write_run(tmp_path, latents=latents, images={"a.png": pixels, "b.png": pixels})
    latents["source"][1, 2, 3, 0] = -0.25
    changed = pixels.copy()
    changed[1, 1] = (3, 200, 0)
    second = write_run(tmp_path, latents=latents, images={"a.png": pixels, "b.png": changed})
    for comparison in (compare_runs(first, second), compare_runs(second, first)):
        assert (comparison.latents, comparison.pixels) == (0.25, 200)
        assert comparison.differing == ("images/b.png", "latents.safetensors")
        assert not comparison.same_bytes
        assert comparison.within(0.25, 200)
        assert not comparison.within(0.2, 200)
        assert not comparison.within(0.25, 199)


def test_other_bytes_of_the_same_pixels_do_not_differ(tmp_path):
    first, second = write_run(tmp_path), write_run(tmp_path)
    with Image.open(second / "images" / "b.png") as image:
        image.save(second / "images" / "b.png", compress_level=0)
    comparison = compare_runs(first, second)
    assert not comparison.same_bytes
    assert comparison.within(0, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_differ_from_numbers_only(tmp_path, bad):
    good, odd = np.ones(4, np.float32), np.array([1, bad, 1, 1], np.float32)
    first, second = (
        write_run(tmp_path, latents={"a": good}),
        write_run(tmp_path, latents={"a": odd}),
    )
    third = write_run(tmp_path, latents={"a": odd, "b": good})
    assert compare_runs(first, second).latents == np.inf
    assert comparing._largest(odd, odd) == 0
    assert compare_runs(second, third).missing == ("latents.safetensors: b",)


def test_runs_of_different_parts_are_not_within_any_tolerance(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    first = write_run(tmp_path, images={"a.png": pixels, "b.png": pixels})
    fewer = write_run(tmp_path, images={"a.png": pixels})
    larger = write_run(tmp_path, images={"a.png": pixels, "b.png": pixels.repeat(2, axis=0)})
    without = write_run(tmp_path, images={"a.png": pixels, "b.png": pixels})
    (without / "latents.safetensors").unlink()
    reshaped = write_run(
        tmp_path,
        images={"a.png": pixels, "b.png": pixels},
        latents={"source": np.zeros((1, 3, 4, 4), np.float32)},
    )
    assert compare_runs(first, fewer).missing == ("images/b.png",)
    assert compare_runs(first, larger).missing == ("images/b.png",)
    assert compare_runs(first, without).missing == ("latents.safetensors",)
    assert compare_runs(first, reshaped).missing == ("latents.safetensors: source",)
    for other in (fewer, larger, without, reshaped):
        assert not compare_runs(first, other).within(np.inf, 255)
        assert not compare_runs(first, other).same_bytes


def test_comparing_with_what_is_no_run(tmp_path):
    run, other = write_run(tmp_path), write_run(tmp_path)
    with pytest.raises(InputError, match="not a run directory"):
        compare_runs(run, tmp_path)
    (other / "latents.safetensors").write_bytes(b"cut")
    with pytest.raises(InputError, match="cannot be read"):
        compare_runs(run, other)
    (other / "images" / "a.png").write_bytes(b"cut")
    with pytest.raises(InputError, match="cannot be read"):
        compare_runs(run, other)
