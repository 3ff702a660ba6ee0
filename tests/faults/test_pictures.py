"""Pictures: depth, transparency, names, order, what is too large or unreadable (12, 15, 20, 21)."""

import base64
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import making

MEMORY = 1000  # megabytes
GREY = np.arange(1024, dtype=np.uint16).reshape(32, 32, 1) * 64  # 0 to 65472, as gray16.png


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[making.Engine]:
    with making.engine(tmp_path_factory.mktemp("engine")) as started:
        yield started


def seen(
    engine: making.Engine, folder: Path, *images: dict[str, Any], version: int = 1
) -> tuple[list[str], Any]:
    """The names of a session's images, and their pixels [N, 32, 32, 3] as the screen gets them."""
    events = engine.run(str(folder), making.as_mapping(list(images), version), base=str(folder))
    ending = events[-1]
    assert ending["status"] == "done", ending["error"]
    names = next(event["names"] for event in events if event["type"] == "started")
    row = next(e for e in events if e["type"] == "row" and e["kind"] == "source")
    sheet = np.asarray(Image.open(BytesIO(base64.b64decode(row["png"]))).convert("RGB"))
    return names, np.stack(np.split(sheet, row["columns"], axis=1))


# ---- 12: depth


@pytest.mark.parametrize("version", [1, 2])
def test_16_bit_grey_is_scaled_by_its_depth(
    engine: making.Engine, tmp_path: Path, version: int
) -> None:
    """Both versions: a session that showed white was wrong. Version 1 rounds to 8 bits."""
    shutil.copy(making.CASES / "gray16.png", tmp_path)
    _, (pixels,) = seen(engine, tmp_path, {"path": "gray16.png"}, version=version)
    wanted = np.asarray(Image.open(making.CASES / "gray16.png")).astype(float) / 257
    assert np.abs(pixels.mean(-1) - wanted).max() <= 1


def test_12_bits_that_a_png_declares_are_no_darker_and_no_lighter(
    engine: making.Engine, tmp_path: Path
) -> None:
    """A PNG's samples fill its depth whatever sBIT says of their origin, so 16 bits it is."""
    twelve = making._chunk(b"sBIT", b"\x0c")
    (tmp_path / "twelve.png").write_bytes(making.png(GREY & 0xFFF0, 16, 0, twelve))
    _, (pixels,) = seen(engine, tmp_path, {"path": "twelve.png"})
    assert np.abs(pixels[..., 0] - GREY[..., 0] / 257).max() <= 1


def test_12_bits_in_the_low_end_of_16_are_scaled_when_the_entry_says_so(
    engine: making.Engine, tmp_path: Path
) -> None:
    """`bits: 12` on the entry: nothing in a file of 0 to 4095 tells it from a dark picture."""
    (tmp_path / "low.png").write_bytes(making.png(GREY >> 4, 16, 0))
    _, (pixels,) = seen(engine, tmp_path, {"path": "low.png", "bits": 12}, version=2)
    assert np.abs(pixels[..., 0] - (GREY[..., 0] >> 4) / 4095 * 255).max() <= 1


def latents(folder: Path, version: int, colours: int) -> Any:
    """Of two pictures that differ below 8 bits only."""
    from safetensors.numpy import load_file

    channels = 3 if colours == 2 else 1
    near = np.full((32, 32, channels), 0x8000, np.uint16)
    (folder / "a.png").write_bytes(making.png(near, 16, colours))
    (folder / "b.png").write_bytes(making.png(near + 0x20, 16, colours))
    text = making.session("{path: a.png}, {path: b.png}", version)
    (folder / "deep.yaml").write_text(text.replace("start_noise: 0.03", "start_noise: 0"))
    (said,) = making.run(folder, ["replay", "deep.yaml", "--out", "out", "--json"], seconds=60)
    assert said.code == 0, said.err
    found = Path(json.loads(said.out)["run"])
    (file,) = (folder / found).glob("latents*.safetensors")
    (z, *_) = load_file(file).values()
    return z


def test_version_2_keeps_greys_that_are_finer_than_8_bits(tmp_path: Path) -> None:
    first, second = latents(tmp_path, 2, 0)[:2]
    assert not np.array_equal(first, second)
    (manifest,) = (tmp_path / "out").glob("*/manifest.json")
    assert "16 bits of grey, read by Pillow" in manifest.read_text()


def test_16_bit_colours_are_said_to_be_read_as_8_bits(tmp_path: Path) -> None:
    """Pillow's doing; nobody is told that they are deep."""
    first, second = latents(tmp_path, 2, 2)[:2]
    assert np.array_equal(first, second)
    (manifest,) = (tmp_path / "out").glob("*/manifest.json")
    said = " ".join(json.loads(manifest.read_text())["notes"])
    assert "16 bits a channel" in said and "as 8" in said and "a.png" in said and "b.png" in said


def test_version_1_rounds_to_8_bits_and_is_not_white(tmp_path: Path) -> None:
    first, second = latents(tmp_path, 1, 2)[:2]
    assert np.array_equal(first, second)
    first, second = latents(tmp_path, 1, 0)[:2]
    assert np.array_equal(first, second)
    shutil.rmtree(tmp_path / "out")
    white = np.full((32, 32, 1), 0xFFFF, np.uint16)
    (tmp_path / "c.png").write_bytes(making.png(white, 16, 0))
    (tmp_path / "white.yaml").write_text(making.session("{path: a.png}, {path: c.png}"))
    (said,) = making.run(tmp_path, ["replay", "white.yaml", "--out", "out", "--json"], seconds=60)
    assert said.code == 0, said.err
    from safetensors.numpy import load_file

    (file,) = (tmp_path / json.loads(said.out)["run"]).glob("latents*.safetensors")
    (z, *_) = load_file(file).values()
    assert not np.array_equal(z[0], z[1])


@pytest.mark.parametrize("name", ["gray16.png", "alpha.png"])
def test_colours_to_train_on_are_the_picture_s(tmp_path: Path, name: str) -> None:
    shutil.copy(making.CASES / name, tmp_path)
    command = f"train --name seen --dataset colours --root {name} --size 32 --steps 1 --out ."
    (said,) = making.run(tmp_path, command.split(), seconds=120)
    assert said.code == 0, said.err
    header, _ = making.split_checkpoint(tmp_path / "seen.safetensors")
    data = base64.b64decode(json.loads(header["__metadata__"]["ddib"])["picture"])
    learnt = np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(float)
    assert np.abs(learnt - on_black(making.CASES / name)).max() <= 1


def on_black(path: Path) -> Any:
    """A picture [32, 32, 3] from 0 to 255 as it is to be seen."""
    image = Image.open(path)
    if image.mode == "RGBA":
        values = np.asarray(image).astype(float)
        return values[..., :3] * values[..., 3:] / 255
    return np.asarray(image).astype(float)[..., None].repeat(3, -1) / 257


# ---- 12: transparency


def transparent(folder: Path) -> None:
    """Red, of which only the left half is there, as PNGs of each kind that knows transparency."""
    values = np.zeros((32, 32, 4), np.uint8)
    values[..., 0], values[:, :16, 3] = 255, 255
    whole = Image.fromarray(values)
    whole.save(folder / "rgba.png")
    whole.save(folder / "webp.webp", lossless=True, exact=True)
    grey = np.stack([values[..., 0], values[..., 3]], -1)
    Image.fromarray(grey, "LA").save(folder / "la.png")
    palette = Image.fromarray((values[..., 3] == 0).astype(np.uint8), "P")
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.save(folder / "palette.png", transparency=1)
    (folder / "deep.png").write_bytes(making.png(values.astype(np.uint16) * 257, 16, 6))


KINDS = ("rgba.png", "webp.webp", "la.png", "palette.png", "deep.png")


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_transparent_is_black(engine: making.Engine, tmp_path: Path, version: int) -> None:
    """Both versions: what alpha hides was never meant to be seen."""
    transparent(tmp_path)
    _, pixels = seen(engine, tmp_path, *({"path": name} for name in KINDS), version=version)
    for name, picture in zip(KINDS, pixels, strict=True):
        assert picture[:, 17:].max() == 0, name
        assert picture[:, :15, 0].min() == 255, name


def test_partial_alpha_is_composited(engine: making.Engine, tmp_path: Path) -> None:
    shutil.copy(making.CASES / "alpha.png", tmp_path)
    _, (pixels,) = seen(engine, tmp_path, {"path": "alpha.png"})
    assert np.abs(pixels - on_black(making.CASES / "alpha.png")).max() <= 1


def test_the_entry_names_another_background(engine: making.Engine, tmp_path: Path) -> None:
    """`background: "#rrggbb"`, a key of an entry of image files."""
    transparent(tmp_path)
    entries = ({"path": name, "background": "#0000ff"} for name in KINDS)
    _, pixels = seen(engine, tmp_path, *entries, version=2)
    for name, picture in zip(KINDS, pixels, strict=True):
        assert (picture[:, 17:] == [0, 0, 255]).all(), name


def test_the_manifest_says_that_transparency_was_filled(tmp_path: Path) -> None:
    transparent(tmp_path)
    (tmp_path / "a.yaml").write_text(making.session("{path: rgba.png}"))
    (said,) = making.run(tmp_path, ["replay", "a.yaml", "--out", "out", "--json"], seconds=60)
    assert said.code == 0, said.err
    manifest = tmp_path / json.loads(said.out)["run"] / "manifest.json"
    assert "transparen" in manifest.read_text()


# ---- 15


def pictures(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        kind = {"jfif": "JPEG", "tif": "TIFF", "tiff": "TIFF"}.get(name.split(".")[-1], "PNG")
        Image.new("RGB", (32, 32), (10, 200, 30)).save(folder / name, kind)


def test_two_pictures_of_one_name_are_told_apart(engine: making.Engine, tmp_path: Path) -> None:
    pictures(tmp_path, "one/x.png", "two/x.png", "two/y.png")
    names, _ = seen(engine, tmp_path, {"path": "one/x.png"}, {"path": "two"})
    assert len(set(names)) == 3
    assert "one" in names[0] and "two" in names[1]
    names, _ = seen(engine, tmp_path, {"path": "**/*.png"})
    assert len(set(names)) == 3


def test_x_png_beside_x_jpg_is_told_apart(engine: making.Engine, tmp_path: Path) -> None:
    pictures(tmp_path, "x.png", "x.bmp", "x.jpg")
    names, _ = seen(engine, tmp_path, {"path": "*"})
    assert len(set(names)) == 3


ALL = ("img10.png", "img2.png", "img1.tif", "img3.tiff", "img4.jfif")


def test_version_2_sorts_as_people_count_and_takes_tif_and_jfif(
    engine: making.Engine, tmp_path: Path
) -> None:
    pictures(tmp_path, *ALL, "deep/b10.png", "deep/b9.png")
    names, pixels = seen(engine, tmp_path, {"path": "img*"}, version=2)
    assert [name.split(".")[0] for name in names] == ["img1", "img2", "img3", "img4", "img10"]
    assert (np.abs(pixels.astype(int) - [10, 200, 30]) < 4).all()
    names, _ = seen(engine, tmp_path, {"path": "**/b*.png"}, version=2)
    assert [Path(name).name.split(".")[0] for name in names] == ["b9", "b10"]


def test_version_1_keeps_its_order_and_its_extensions(
    engine: making.Engine, tmp_path: Path
) -> None:
    pictures(tmp_path, *ALL)
    names, _ = seen(engine, tmp_path, {"path": "img*"}, version=1)
    assert [name.split(".")[0] for name in names] == ["img10", "img2"]


# ---- 20


def bounded(folder: Path, images: str, *said: str) -> None:
    """Either done or refused in words that name the entry; never slow, large or a traceback."""
    (folder / "case.yaml").write_text(making.session(images))
    cost = making.watched(folder, "replay", "case.yaml", "--dry-run")
    assert cost.megabytes < MEMORY
    assert "Traceback" not in cost.said.err
    assert cost.said.refuses("case.yaml:", "source.images.0", *said), cost.said


@pytest.mark.parametrize("repeat", ["true", "false"])
def test_a_billion_images_are_refused(tmp_path: Path, repeat: str) -> None:
    entry = f"{{dataset: colored-mnist, digit: 5, count: 1000000000, repeat: {repeat}, seed: 0}}"
    bounded(tmp_path, entry, "count")


def test_a_billion_points_are_refused(tmp_path: Path) -> None:
    text = making.session("{dataset: moons, count: 1000000000, seed: 0}")
    text = text.replace("cmnist-fives", "synthetic-moons")
    (tmp_path / "case.yaml").write_text(text.replace("cmnist-sevens", "synthetic-concentric-rings"))
    cost = making.watched(tmp_path, "replay", "case.yaml", "--dry-run")
    assert cost.megabytes < MEMORY
    assert cost.said.refuses("case.yaml:", "count")


def test_a_picture_of_one_endless_row_is_refused_or_cheap(tmp_path: Path) -> None:
    """Refused by name: no one can mean 32×32 pixels of it."""
    (tmp_path / "wide.png").write_bytes(making.wide_png(99_000_000))
    bounded(tmp_path, "{path: wide.png}", "wide.png", "99000000×1")


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """Each picture is found once, however many ways lead to it."""
    pictures(tmp_path / "tree", "x.png")
    for name in "abc":
        (tmp_path / "tree" / name).symlink_to(".")
    (tmp_path / "case.yaml").write_text(making.session("{path: 'tree/**/*.png'}"))
    cost = making.watched(tmp_path, "replay", "case.yaml", "--dry-run", "--json")
    assert cost.said.code == 0, cost.said
    assert json.loads(cost.said.out)["images"] == 1


def test_a_pattern_over_the_whole_machine_is_refused(tmp_path: Path) -> None:
    bounded(tmp_path, "{path: '/**/*.png'}", "/**/*.png")


def test_a_pipe_is_no_picture_and_no_session(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.yaml")
    bounded(tmp_path, "{path: pipe.png}", "pipe.png", "pipe")
    for arguments in (["replay", "pipe.yaml"], ["replay", "pipe.png"]):
        cost = making.watched(tmp_path, *arguments, "--dry-run")
        assert cost.said.refuses("pipe"), (arguments, cost.said)


def test_an_mnist_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    making.write_mnist(tmp_path / "mnist", [5] * 8, "t10k")
    images = tmp_path / "mnist" / "t10k-images-idx3-ubyte"
    packed = gzip.compress(images.read_bytes()) + gzip.compress(bytes(2**25)) * 80
    images.with_suffix(".gz").write_bytes(packed)
    images.unlink()
    bounded(tmp_path, "{dataset: colored-mnist, root: mnist, count: 1}", "t10k-images")


# ---- 21


def test_one_bad_link_does_not_empty_a_folder(engine: making.Engine, tmp_path: Path) -> None:
    pictures(tmp_path, "good.png", "sub/inner.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "nowhere.png").symlink_to("not-there.png")
    for pattern, count in (("*.png", 1), ("**/*.png", 2)):
        names, _ = seen(engine, tmp_path, {"path": pattern})
        assert len(names) == count


def test_all_unreadable_pictures_are_named_with_the_way_out(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "z.png")
    for name in ("bad1.png", "bad2.png", "bad3.png"):
        (tmp_path / name).write_bytes(b"no picture")
    (tmp_path / "all.yaml").write_text(making.session("{path: '*.png'}"))
    (tmp_path / "some.yaml").write_text(making.session("{path: '*.png', names: [a.png, z.png]}"))
    everything, chosen = making.run(
        tmp_path, *(["replay", name, "--dry-run"] for name in ("all.yaml", "some.yaml"))
    )
    assert chosen.code == 0, chosen.err
    assert everything.refuses("source.images.0", "bad1.png", "bad2.png", "bad3.png", "leave")


def test_unreadable_pictures_can_be_left_out(engine: making.Engine, tmp_path: Path) -> None:
    """`unreadable: skip` on the entry; the run says which it left out."""
    pictures(tmp_path, "a.png", "z.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    said = making.as_mapping([{"path": "*.png", "unreadable": "skip"}], 2)
    ending = engine.run("skip", said, base=str(tmp_path))[-1]
    assert ending["status"] == "done", ending["error"]
    assert any("bad.png" in note for note in ending["notes"])
