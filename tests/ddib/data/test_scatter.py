"""The scatter plots, pixel by pixel."""

import colorsys

import numpy as np

from ddib.data.scatter import BACKGROUND, HUES, REACH, SIZE, rainbow, scatter


def light(picture: np.ndarray) -> np.ndarray:
    return np.abs(picture.astype(int) - BACKGROUND).sum(-1)


def test_a_point_is_where_it_should_be_and_y_points_up() -> None:
    pixel = 2 * REACH / SIZE
    for x, y in ((0.5, 0.5), (1.5, -0.5), (-20.5, 30.5)):
        (picture,) = scatter(np.array([[[x * pixel, y * pixel]]]))
        assert picture.shape == (SIZE, SIZE, 3)
        lit = np.argwhere(light(picture))
        assert lit.tolist() == [[SIZE // 2 - 1 - int(np.floor(y)), SIZE // 2 + int(np.floor(x))]]


def test_a_point_between_pixels_is_shared_among_the_four_around() -> None:
    (picture,) = scatter(np.zeros((1, 1, 2)))
    lit = light(picture)
    corners = lit[SIZE // 2 - 1 : SIZE // 2 + 1, SIZE // 2 - 1 : SIZE // 2 + 1]
    assert np.ptp(corners) == 0
    assert corners.sum() == lit.sum() > 0


def test_colours_go_by_the_order_and_not_by_the_place() -> None:
    points = np.array([[-2.0, 0], [0, 0], [2, 0]])
    there, back = scatter(np.stack([points, points[::-1]]))
    assert np.array_equal(np.sort(light(there), axis=None), np.sort(light(back), axis=None))
    column = np.argmax(light(there)[:, : SIZE // 3].max(0))
    assert there[:, column].max(0)[0] > there[:, column].max(0)[2]  # the first point is red
    assert back[:, column].max(0)[2] > back[:, column].max(0)[0]  # the last one is not


def test_hues_are_those_of_the_wheel_without_its_end() -> None:
    colours = rainbow(7)
    wanted = [colorsys.hsv_to_rgb(HUES * (n + 0.5) / 7, 1, 1) for n in range(7)]
    assert np.allclose(colours, wanted)


def test_more_points_in_a_place_are_brighter() -> None:
    """One in eight in the upper right, the rest in the lower left, all hues in both."""
    crowd = np.where(np.arange(20_000)[:, None] % 8, -2.0, 2.0).repeat(2, axis=1)
    crowd += np.random.default_rng(0).uniform(-0.7, 0.7, crowd.shape)
    (picture,) = scatter(crowd[None])
    half = SIZE // 2
    assert light(picture)[half:, :half].sum() > 1.3 * light(picture)[:half, half:].sum() > 0
    assert tuple(picture[0, 0]) == BACKGROUND


def test_what_is_beyond_the_axes_or_no_number_is_not_seen() -> None:
    far = np.array([[REACH + 0.01, 0], [0, -50], [np.nan, 0], [np.inf, 0]])
    (picture,) = scatter(far[None])
    assert not light(picture).any()
