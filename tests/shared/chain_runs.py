"""Chains that are run for a test."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Finished, Message
from workbench.runs.manifest import Manifest, read_manifest
from workbench.session.overrides import set_value
from workbench.session.reading import parse_session

CYCLE = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{dataset: colored-mnist, digit: 5, count: 3}]
target: {checkpoint: cmnist-sevens}
chain: [{checkpoint: cmnist-fives}]
solver: {steps: 3}
"""
DIGITS = """\
version: 1
source:
  checkpoint: cmnist-digits
  label: own
  images:
    - {dataset: colored-mnist, digit: 3, count: 2}
    - {dataset: colored-mnist, digit: 8, count: 1}
target: {checkpoint: cmnist-digits, label: 0}
solver: {steps: 3}
"""


def plan(text: str, **values: str) -> Plan:
    session = parse_session(text)
    for path, value in values.items():
        session = set_value(session, path.replace("__", "."), value)
    return make_plan(session, Path(), "chain")


def run(
    engine: Engine,
    made: Plan,
    store: Path | None = None,
    cancelled: Callable[[list[Message]], bool] = lambda _: False,
) -> tuple[Finished, list[Message]]:
    heard: list[Message] = []
    order = Order(store=store, run_name="chain")
    return run_plan(engine, made, order, heard.append, lambda: cancelled(heard)), heard


@dataclass(frozen=True)
class Done:
    """A run and its directory."""

    ending: Finished
    heard: list[Message]
    path: Path

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.path)

    @property
    def latents(self) -> dict[str, Tensor]:
        return load_file(self.path / "latents.safetensors")

    def pixels(self, names: list[str]) -> np.ndarray:
        return np.stack([np.asarray(Image.open(self.path / "images" / name)) for name in names])
