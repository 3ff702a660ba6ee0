"""Curves of made-up sweeps, and their pictures."""

from math import nan
from pathlib import Path

import pytest
from PIL import Image

from workbench.metrics.metric import usual_trade_off
from workbench.runs.curves import (
    Swept,
    across,
    against_value,
    parameters,
    trade_off,
    trade_off_metrics,
    varying,
)

HUE, ACCURACY = usual_trade_off()


def swept(**metrics: list[float | None]) -> list[Swept]:
    """Variants of noise 0.3, 0.1, 0.2 …, each with the metrics that are not None."""
    values = (0.3, 0.1, 0.2, 0.4)
    count = len(next(iter(metrics.values())))
    return [
        Swept(
            {"latent.0.coefficient": values[i]},
            f"c = {values[i]}",
            {name: v for name, each in metrics.items() if (v := each[i]) is not None},
        )
        for i in range(count)
    ]


def of(path: str, *values: object) -> list[Swept]:
    return [Swept({path: v}, f"{v}", {"target_accuracy": i}) for i, v in enumerate(values)]


def test_points_lie_in_the_order_of_the_values_and_nan_and_missing_are_left_out() -> None:
    sweep = swept(target_accuracy=[0.9, 0.5, nan, None], hue_error_median=[3.0, None, 5.0, 6.0])
    (parameter,) = parameters(sweep)
    plot = against_value(sweep, ACCURACY, parameter)
    assert [(p.variant, p.x, p.y) for p in plot.points] == [(1, 0.1, 0.5), (0, 0.3, 0.9)]
    assert plot.x.title == "coefficient c" and plot.joined and not plot.x.logarithmic
    assert [text for _, text in plot.x.ticks] == ["0.1", "0.2", "0.3", "0.4"]
    both = trade_off(sweep, HUE, ACCURACY, parameter)
    assert [(p.variant, p.x, p.y) for p in both.points] == [(0, 3.0, 0.9)]
    assert trade_off_metrics(sweep) == (HUE, ACCURACY)


def test_only_what_varies_gets_a_curve() -> None:
    sweep = swept(target_accuracy=[1, 1, 1], latent_std=[nan, nan, 0.9], cycle_psnr=[30, 31, nan])
    assert [metric.name for metric in varying(sweep)] == ["cycle_psnr"]
    assert trade_off_metrics(sweep) is None
    assert parameters([]) == [] == varying([])


@pytest.mark.parametrize(
    "values, logarithmic",
    [
        ((1, 10, 100), False),
        ((0.01, 0.1, 1, 10), True),
        ((0, 0.01, 1), False),
        ((-1, 0.01, 0.02, 9), False),
        ((10, 20, 30), False),
    ],
)
def test_the_axis_is_logarithmic_where_points_would_lie_on_each_other(
    values: tuple[float, ...], logarithmic: bool
) -> None:
    sweep = of("latent.0.coefficient", *values)
    plot = against_value(sweep, ACCURACY, across(sweep))
    assert plot.x.logarithmic == logarithmic


@pytest.mark.parametrize("sweep", [of("solver.name", "heun", "euler"), of("target.label", 7, 1, 3)])
def test_names_keep_their_order_and_are_not_joined(sweep: list[Swept]) -> None:
    plot = against_value(sweep, ACCURACY, across(sweep))
    assert [p.x for p in plot.points] == list(range(len(sweep))) and not plot.joined
    assert [text for _, text in plot.x.ticks] == [each.label for each in sweep]


def test_of_two_parameters_one_is_the_axis_and_the_other_makes_the_series() -> None:
    sweep = [
        Swept({"latent.0.sigma": s, "latent.1.coefficient": c}, f"σ = {s}, c = {c}",
              {"target_accuracy": s * c, "hue_error_median": s + c})
        for s in (1, 2)
        for c in (0.1, 0.2, 0.4)
    ]  # fmt: skip
    parameter = across(sweep)
    assert parameter.name == "c"
    plot = against_value(sweep, ACCURACY, parameter)
    assert [series.label for series in plot.series] == ["σ = 1", "σ = 2"]
    assert [[p.variant for p in series.points] for series in plot.series] == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "sweep",
    [
        swept(target_accuracy=[0.9, nan, 1.0, 0.2], hue_error_median=[3.0, 4.0, None, 9.0]),
        of("solver.name", "heun", "euler"),
        of("latent.0.coefficient", 0.001, 0.01, 0.1, 1, 10),
    ],
)
def test_the_same_sweep_gives_the_same_bytes(sweep: list[Swept], tmp_path: Path) -> None:
    from workbench.runs.plots import save_plots

    pictures = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_plots(sweep, tmp_path / name, "A $title$", "a subtitle")
        pictures.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()})
    assert pictures[0] == pictures[1]
    assert "curves.png" in pictures[0]
    for path in (tmp_path / "one").iterdir():
        with Image.open(path) as image:
            assert len(image.convert("L").getcolors(256) or ()) > 8, "something is drawn"


def test_the_labels_of_a_sweep_are_words_in_the_subtitle() -> None:
    from workbench.engine.planning.plan import make_plan
    from workbench.engine.results.sheet import subtitle
    from workbench.session.reading import parse_session

    session = parse_session("""
version: 1
source: {checkpoint: cmnist-fives, images: [{dataset: colored-mnist, count: 1}]}
target: {checkpoint: cmnist-digits, label: [1, 3]}
""")
    assert subtitle(make_plan(session, Path())).startswith("cmnist-fives → cmnist-digits (1 3);")
