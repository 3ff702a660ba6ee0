"""Make the demo anew, in a checkout: `python -m workbench.demo`."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from workbench.demo import RUN
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.planning.plan import make_plan
from workbench.runs.files import IMAGES, LATENTS, SESSION
from workbench.runs.manifest import read_manifest
from workbench.runs.writing import NewRun
from workbench.session.overrides import set_value
from workbench.session.reading import load_session

NAME = "keep-the-colour"


def main() -> None:
    """Run the session on eight images, and keep what the screen shows, without this machine."""
    file = Path(__file__).parents[2] / "sessions" / f"{NAME}.yaml"
    session = set_value(load_session(file), "source.images.0.count", "8")
    with tempfile.TemporaryDirectory() as store:
        plan = make_plan(session, file.parent, NAME)
        ended = run_plan(Engine("cpu"), plan, Order(store=Path(store), run_name=NAME))
        made = Path(ended.run or store)
        manifest = read_manifest(made)
        for used in manifest.checkpoints.values():
            used.path = Path(used.path).name
        shutil.rmtree(RUN, ignore_errors=True)
        RUN.mkdir()
        shutil.copy(made / SESSION, RUN)
        shutil.copytree(made / IMAGES, RUN / IMAGES)
        halves = {n: z.astype(np.float16) for n, z in load_file(made / LATENTS).items()}
        save_file(halves, RUN / LATENTS)
        NewRun(RUN).write_manifest(manifest)


if __name__ == "__main__":
    main()
