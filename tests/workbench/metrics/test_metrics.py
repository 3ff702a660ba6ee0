"""Every metric, whichever there are: its values, its figures, and where they are shown."""

import json
import os
import subprocess
import sys
from math import inf
from pathlib import Path

import pytest
import torch

from workbench.engine.results.measure import measure, summary
from workbench.library.library import folders
from workbench.metrics.averages import mean, missing, percentile
from workbench.metrics.evidence import Evidence, Latents, Results
from workbench.metrics.metric import (
    METRICS,
    Figure,
    all_figures,
    captions,
    measured,
    range_text,
    usual_trade_off,
)
from workbench.runs.manifest import read_manifest

OWN = '''
from workbench.metrics.metric import Figure, Metric


class Brightness(Metric):
    """Mean brightness of a result."""

    name = "brightness"
    figures = (Figure("brightness", "brightness", heading="bright", unit="%", factor=100),)

    def measure(self, evidence):
        return ((evidence.images + 1) / 2).mean((1, 2, 3))
'''


class FakeProbe(torch.nn.Module):
    """Takes every image for a seven."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(torch.full((len(images),), 7), 10).float()


def evidence() -> list[Evidence]:
    """Enough that every metric applies to some of it."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand((3, 3, 8, 8), generator=generator) * 2 - 1
    others = torch.rand((3, 3, 8, 8), generator=generator) * 2 - 1
    points = torch.randn((3, 3, 1, 20), generator=generator)
    probe = FakeProbe()
    return [
        Latents(pictures),
        Results(pictures, others, [7, 7, 5], probe, cycle=True),  # type: ignore[arg-type]
        Results(points, points + 1, [None] * 3, cycle=True, points=True),
        Results(points, points + 1, [None] * 3, points=True, target_picture=pictures[:1]),
    ]


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_value_for_each_image_and_figures_that_follow(name: str) -> None:
    if name in ("ot_mse", "sinkhorn_mse"):
        pytest.importorskip("ot")
    metric = METRICS[name]
    subject = Latents if metric.subject != "result" else Results
    applying = [one for one in evidence() if isinstance(one, subject) and metric.applies(one)]
    assert applying, "it applies to nothing"
    for one in applying:
        values = measure(metric.subject, one, 3)[name]
        assert len(values) == 3
        figures = summary({name: values})
        assert figures.keys() <= {figure.name for figure in metric.figures}
        expected = {figure.name for figure in metric.figures if figure.average is mean}
        assert expected <= figures.keys()


@pytest.mark.parametrize("name", METRICS)
def test_what_stands_under_an_image_gets_shorter(name: str) -> None:
    lengths = [len(text) for text in METRICS[name].image_captions(3.0)]
    assert lengths == sorted(lengths, reverse=True)


def test_figures_are_listed_where_a_variant_has_them() -> None:
    names = list(all_figures())
    listed = measured([{names[1]: 1.0, names[0]: inf}, {names[2]: 0.0, "unknown": 1.0}])
    assert [figure.name for figure in listed] == names[1:3]


def test_a_share_is_told_as_a_count_where_there_is_room() -> None:
    across, upwards = usual_trade_off()
    numbers = {across.name: 12.4, upwards.name: 0.9}
    assert captions(numbers, "row", "sevens") == ["90% sevens", "hue 12°"]
    assert captions(numbers, "sheet", "sevens", images=10) == ["9/10 sevens", "hue 12°"]


def test_a_figure_is_left_out_beside_a_better_one() -> None:
    distance = {"cycle_l2_mean": 0.25}
    assert captions(distance, "sheet") == ["cycle L2 0.25"]
    assert captions({**distance, "cycle_psnr": 40.0}, "sheet") == ["40.0 dB"]


def test_a_range_is_one_value_where_all_read_alike() -> None:
    figure = Figure("share", "share", short="{:.0%}")
    assert range_text(figure, [{"share": 0.5}, {"share": 0.75}, {}]) == "50%–75%"
    assert range_text(figure, [{"share": 0.5}, {"share": 0.501}]) == "50%"
    assert range_text(figure, [{}]) == ""


def test_images_without_a_value_are_left_out_and_counted() -> None:
    values = [1.0, None, 3.0]
    assert (mean(values), missing(values), percentile(50)(values)) == (2.0, 1.0, 2.0)
    assert (mean([None]), missing([1.0])) == (None, None)


def test_a_user_s_own_metric_is_reported_like_any_other(tmp_path: Path) -> None:
    folder = folders().config.parent / "metrics"
    folder.mkdir(parents=True)
    (folder / "brightness.py").write_text(OWN)
    (folder / "taken.py").write_text(OWN.replace('name = "brightness"', 'name = "other"'))
    session = tmp_path / "session.yaml"
    session.write_text(
        "version: 1\n"
        "source: {checkpoint: cmnist-fives, images: [{dataset: colored-mnist, count: 2}]}\n"
        "target: {checkpoint: cmnist-sevens}\n"
        "solver: {steps: 1}\n"
    )
    program = [sys.executable, "-m", "workbench", "replay"]
    command = [*program, str(session), "--json", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert "taken.py" in done.stderr and "another metric has a figure brightness" in done.stderr
    line = json.loads(done.stdout)
    value = line["variants"][0]["metrics"]["brightness"]
    assert 0 < value < 1
    (variant,) = read_manifest(Path(line["run"])).variants
    assert variant.metrics["brightness"] == value
    assert len(variant.per_image["brightness"]) == 2
