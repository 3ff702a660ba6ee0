"""Points on the screen: they come with a checkpoint that reads them, and are drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddib.data.scatter import SIZE, scatter
from ddib.data.source import IMAGE_SOURCES
from ddib.data.sources.colored_mnist import ColoredMNIST
from ddib.data.sources.moons import Moons
from ddib.data.sources.rings import Rings
from workbench.engine.protocol.messages import Inspection, LatentStep
from workbench.runs.strips import strip_png
from workbench.tui.forms import image_entries as image_forms
from workbench.tui.present.inspection import view_of
from workbench.tui.state.images import image_selection as picking


async def test_a_checkpoint_of_points_brings_its_points(program: Any, session_file: Path) -> None:
    async with program(session_file) as driver:
        listed = [checkpoint.name for checkpoint in driver.widget("#checkpoints").view]
        await driver.press("1", "home", *["down"] * listed.index("synthetic-moons"), "s")
        moons = (Moons(),)
        await driver.until(lambda: driver.session.source.images == moons)
        await driver.until(
            lambda: driver.workspace.images.loaded.pixels.shape == (1, SIZE, SIZE, 3)
        )
        assert driver.workspace.images.loaded.problem is None
        text = "\n".join(driver.screen_text())
        assert "points" in text and "moons" in text and "2000" in text
        await driver.press("home", *["down"] * listed.index("cmnist-fives"), "s")
        await driver.until(lambda: driver.session.source.images == (ColoredMNIST(digit=5),))
        await driver.press("u")
        await driver.until(lambda: driver.session.source.images == moons)


def test_latents_of_points_have_no_neighbours_to_speak_of() -> None:
    step = LatentStep.model_construct(
        label="latent", mean=0.0, std=1.2, kurtosis=3.0, autocorrelation=None, spectrum=[],
        histogram=[1] * 64, png=strip_png(scatter(np.zeros((1, 5, 2)))),
    )  # fmt: skip
    bands = {"mean": (0.0, 0.01), "std": (1.0, 0.01), "kurtosis": (3.0, 0.01)}
    view = view_of(
        Inspection.model_construct(
            id="1", images=1, values=64, steps=[step], bands=bands, spectrum_errors=[]
        )
    )
    assert view.white[-1] == "–"
    far = [("0.000", False), ("1.200", True), ("3.000", False), ("–", False)]
    assert list(view.steps[0].values) == far
    assert view.steps[0].channels[0].shape == (SIZE, SIZE, 3)


def test_the_form_of_points_chooses_the_shape_the_count_and_the_seed() -> None:
    form = image_forms.form_of(Rings(), 0, 1)
    fields = {field.name: field for field in form.fields}
    assert list(fields) == ["from", "dataset", "count", "seed"]
    assert fields["from"].choices == tuple(IMAGE_SOURCES)
    assert "parallel-rings" in fields["dataset"].choices
    spec = image_forms.changed(Rings(), fields["dataset"], "parallel-rings")
    assert spec == Rings(dataset="parallel-rings")
    assert image_forms.changed(spec, fields["count"], "500") == spec.model_copy(
        update={"count": 500}
    )
    assert image_forms.changed(spec, fields["from"], "digits") == ColoredMNIST()
    assert image_forms.changed(ColoredMNIST(), fields["from"], "moons") == Moons()


def test_a_cloud_is_taken_whole() -> None:
    spec = Moons()
    assert spec.untaken() == spec
    assert picking.pick(spec, ["moons-0"], range(1), "all", 0, [0]) == spec
    with pytest.raises(ValueError, match="the only image"):
        picking.pick(spec, ["moons-0"], range(1), "toggle", 0, [0])
