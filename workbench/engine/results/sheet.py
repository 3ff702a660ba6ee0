"""The rows and the subtitle of a run's contact sheet."""

from workbench.engine.planning.plan import Plan, short_titles
from workbench.engine.results.measure import summary
from workbench.engine.results.rows import SHOWN, RunResults
from workbench.metrics.metric import captions
from workbench.runs.contact_sheet import SheetRow
from workbench.session.titles import end_titles


def sheet_rows(results: RunResults) -> list[SheetRow]:
    """Source, then edited image and latent of each encoding, then the variants' rows."""
    rows = [SheetRow("source", results.plan.images.pictures[:SHOWN])]
    shown: set[int] = set()
    for index in results.reached:
        *outer, label = results.plan.variants[index].label.split(", ")
        block, encoding = ", ".join(outer), results.encodings[index]
        if encoding not in shown:
            shown.add(encoding)
            rows += _encoding_rows(results, encoding, block)
        edited = results.rows.get(("edited_latent", index, 0))
        if edited is not None:
            name = f"{label} latent" if label != "result" else "edited latent"
            note = "  ".join(captions(summary(edited.metrics), "sheet"))
            rows.append(SheetRow(name, edited.pixels, note, block))
        rows += _picture_rows(results, index, label, block, joined=edited is not None)
    return rows


def _encoding_rows(results: RunResults, index: int, block: str) -> list[SheetRow]:
    latent = results.row("latent", index)
    note = "  ".join(captions(summary(latent.metrics), "sheet"))
    rows = [SheetRow("latent", latent.pixels, note, block)]
    edited = results.rows.get(("edited_image", index, 0))
    if edited is not None:
        rows.insert(0, SheetRow("edited image", edited.pixels, "", block))
    return rows


def _picture_rows(
    results: RunResults, index: int, label: str, block: str, joined: bool
) -> list[SheetRow]:
    """What each end after the source made of a variant, and between two of them its latents."""
    rows = []
    names = short_titles(results.plan.ends(results.plan.variants[index]))
    for end, pictures in results.pictures(index).items():
        if results.plan.links > 1:
            name = f"› {names[end]}" if label == "result" else f"{label} › {names[end]}"
        else:
            name = label
        rows.append(
            SheetRow(name, pictures.pixels, _note(results, index, end), block, joined=joined)
        )
        latent = results.rows.get(("intermediate_latent", index, end))
        if latent is not None and latent.count == pictures.count:
            note = "  ".join(captions(summary(latent.metrics), "sheet"))
            rows.append(SheetRow("its latent", latent.pixels, note, block, joined=True))
        joined = False
    return rows


def _note(results: RunResults, index: int, end: int) -> str:
    """The figures of an end's pictures in a few words."""
    figures = summary(results.pictures(index)[end].metrics)
    passed = results.plan.ends(results.plan.variants[index])[end]
    places = range(len(results.plan.images.names))
    wanted = {*results.plan.wanted(passed, places)}
    if len(wanted) > 1:
        what = "are their own"
    elif len(passed.facts.labels) == 1:
        what = passed.facts.domain.split()[-1]
    else:
        what = f"are {next(iter(wanted))}"
    return "  ".join(captions(figures, "sheet", what, len(places)))


def subtitle(plan: Plan) -> str:
    """Ends and solver in a line."""
    session = plan.session
    solver = plan.variants[0].solver
    facts = [" → ".join(end_titles(session)), f"{solver.name} on {solver.grid} grid"]
    if not isinstance(session.solver.steps, tuple):
        facts.append(f"{solver.steps} steps each way")
    if solver.start_noise and not isinstance(session.solver.start_noise, tuple):
        facts.append(f"start noise {solver.start_noise:g}")
    if solver.clip:
        facts.append("clipped while decoding")
    return "; ".join(facts)
