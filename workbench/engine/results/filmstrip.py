"""An interpolation as a filmstrip: a row for each pair of images, a column for each fraction."""

import numpy as np

from ddib.operations.sphere import Slerp
from workbench.engine.results.rows import RunResults
from workbench.runs.contact_sheet import SheetRow
from workbench.session.schema import sweeps

MOST_PAIRS = 16  # pairs that are shown


def filmstrip(results: RunResults) -> tuple[list[SheetRow], list[str]]:
    """The rows, and what stands above their columns: source, result by result, the other source.

    There are none of points, and none where anything else is swept than the fraction of a slerp
    between two images.
    """
    plan = results.plan
    swept, count = sweeps(plan.session), len(plan.images.names)
    slerps = {
        f"latent.{index}.fraction": operation
        for index, operation in enumerate(plan.session.recipe.latent)
        if isinstance(operation, Slerp) and operation.other == "image"
    }
    if plan.points or len(swept) != 1 or not swept.keys() <= slerps.keys():
        return [], []
    (path,) = swept
    finished = sorted(results.finished, key=lambda row: plan.variants[row].values[path])
    pictures = [results.row("result", row).pixels for row in finished]
    rows = []
    for one in range(min(count, MOST_PAIRS)):
        other = (one + slerps[path].offset) % count
        frames = [plan.images.pictures[one], *(row[one] for row in pictures)]
        frames.append(plan.images.pictures[other])
        rows.append(SheetRow(f"{one + 1} → {other + 1}", np.stack(frames)))
    heads = ["source", *(plan.variants[row].label for row in finished), "source"]
    return rows if len(finished) > 1 else [], heads
