"""Every metric, whichever there are: its values, its figures, and where they are shown."""

import json
import os
import subprocess
import sys
from math import inf, nan
from pathlib import Path

import pytest

from workbench.library.folders import folders
from workbench.metrics.averages import mean, missing, percentile
from workbench.metrics.checks import check_metric
from workbench.metrics.evidence import Evidence
from workbench.metrics.metric import (
    METRICS,
    Figure,
    Metric,
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


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_keeps_what_all_promise(name: str) -> None:
    check_metric(name)


@pytest.mark.parametrize(
    ("values", "broken"),
    [([1.0, 2.0], "gives 2 values for 3 images"), ([nan, nan, nan], "broken has no value")],
)
def test_a_broken_promise_is_found(values: list[float], broken: str) -> None:
    before = dict(METRICS)
    try:

        class Broken(Metric):
            """Break a promise."""

            name = "broken"
            figures = (Figure("broken", "broken"),)

            def measure(self, evidence: Evidence) -> list[float]:
                return values

        with pytest.raises(AssertionError, match=broken):
            check_metric("broken")
    finally:
        METRICS.replace_members(before)


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


@pytest.mark.slow
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
