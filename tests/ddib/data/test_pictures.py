"""Image files that are deep, of another polarity, or made to take the memory."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ddib.data import files
from ddib.data.files import counted, find_files
from ddib.data.loading import load_images
from ddib.data.pictures import MAX_EDGE, Reading, read_picture
from ddib.data.sources.image_files import ImageFiles
from ddib.errors import InputError

LEVELS = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1024


def tiff(path: Path, values: Any, *, bits: int, polarity: int = 1, **tags: int) -> Path:
    """An uncompressed little-endian grey TIFF of one strip; other tags by number, as t322=8."""
    height, width = values.shape
    data = values.astype("<u2").tobytes() if bits == 16 else np.packbits(values).tobytes()
    entries = {256: width, 257: height, 258: bits, 259: 1, 262: polarity, 273: 8, 277: 1}
    entries |= {278: height, 279: len(data)} | {int(k[1:]): v for k, v in tags.items()}
    table = b"".join(struct.pack("<HHII", tag, 4, 1, entries[tag]) for tag in sorted(entries))
    head = b"II*\0" + struct.pack("<I", 8 + len(data)) + data
    path.write_bytes(head + struct.pack("<H", len(entries)) + table + bytes(4))
    return path


@pytest.mark.parametrize("polarity", [0, 1], ids=["white is zero", "black is zero"])
@pytest.mark.parametrize("deep", [False, True])
def test_deep_tiffs(tmp_path: Path, polarity: int, deep: bool) -> None:
    path = tiff(tmp_path / "a.tif", LEVELS, bits=16, polarity=polarity)
    pixels = read_picture(path, 8, 1, Reading(deep=deep)).pixels[..., 0].astype(float)
    share = LEVELS / 65535 if polarity else 1 - LEVELS / 65535
    seen = (pixels + 1) / 2 if deep else pixels / 255
    assert np.abs(seen - share).max() < (1e-6 if deep else 1 / 255)


def test_levels_above_the_bits_that_an_entry_names_are_refused(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", LEVELS, bits=16)
    with pytest.raises(InputError, match=r"a\.tif: has levels up to 64512, and 12 bits end at"):
        read_picture(path, 8, 1, Reading(bits=12))
    Image.new("L", (8, 8)).save(tmp_path / "b.png")
    with pytest.raises(InputError, match="leave bits out"):
        read_picture(tmp_path / "b.png", 8, 1, Reading(bits=12))


def test_32_bit_samples_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="8 or 16 bits"):
        read_picture(tmp_path / "a.tif", 8, 1, Reading())


@pytest.mark.parametrize("tags", [{"t278": 2**31}, {"t322": 10**6, "t323": 10**6}])
def test_strips_and_tiles_without_bounds_are_refused(tmp_path: Path, tags: dict[str, int]) -> None:
    path = tiff(tmp_path / "a.tif", np.zeros((32, 32), np.uint8), bits=1, **tags)
    with pytest.raises(InputError, match="more than the"):
        read_picture(path, 8, 1, Reading())


def test_rows_without_bounds_of_a_compressed_bmp_are_refused(tmp_path: Path) -> None:
    """Each jump of its run lengths adds up to 255 rows at once."""
    wide = MAX_EDGE + 1
    head = struct.pack("<IiiHHIIiiII", 40, wide, 1, 1, 8, 1, 54_000, 0, 0, 256, 0)
    body = bytes(1024) + b"\0\2\xff\xff" * 13_500
    start = b"BM" + struct.pack("<IHHI", 14 + len(head) + len(body), 0, 0, 14 + 40 + 1024)
    (tmp_path / "a.bmp").write_bytes(start + head + body)
    with pytest.raises(InputError, match=f"{wide}×1 pixels, an edge"):
        read_picture(tmp_path / "a.bmp", 8, 1, Reading())


def test_deep_pictures_beside_others_keep_both(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", LEVELS, bits=16)
    Image.new("L", (8, 8), 200).save(tmp_path / "b.png")
    entries = [ImageFiles(path=str(tmp_path / name)) for name in ("a.tif", "b.png")]
    images = load_images(entries, size=8, channels=1)
    assert images.pixels.dtype == np.float32
    assert np.allclose(images.pixels[1], 200 / 127.5 - 1)
    assert images.pictures[1].max() == images.pictures[1].min() == 200
    assert load_images(entries, size=8, channels=1, version=1).pixels.dtype == np.uint8


def test_names_in_the_order_in_which_people_count() -> None:
    names = ["a2/x1", "a10/x1", "A2/x3", "b", "img10", "img2", "img02", "2", "10"]
    ordered = ["2", "10", "a2/x1", "A2/x3", "a10/x1", "b", "img02", "img2", "img10"]
    assert sorted(names, key=counted) == ordered


def test_a_search_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        (tmp_path / str(number)).mkdir()
    monkeypatch.setattr(files, "MOST_ENTRIES", 10 * files.FOLDER_COST)
    with pytest.raises(InputError, match="name a narrower pattern"):
        find_files(str(tmp_path), "**/*.png", 2)


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    for name in ("a.png", "b.tif", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "c.png").symlink_to("nowhere.png")
    for version, names in ((1, ["a.png"]), (2, ["a.png", "b.tif"])):
        found = find_files(str(tmp_path), "*", version)
        assert found.names == names
        said = " ".join(found.notes)
        assert "notes.txt" in said and "c.png" in said and ("b.tif" in said) == (version == 1)
