import numpy as np
import pytest
from PIL import Image

from ddib.errors import InputError
from workbench.runs.contact_sheet import SheetRow, contact_sheet, printable
from workbench.runs.sheet_file import read_session_from_sheet, save_sheet
from workbench.runs.strips import split_strip, strip_png

SESSION = "version: 1\ntitle: schöne Fünfen → sevens  # 数字\n"


def images(count, size=32, channels=3, seed=0):
    shape = (count, size, size, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def find(sheet, tile):
    """Top-left corners at which `tile` [h, w, 3] stands in the sheet, pixel by pixel."""
    whole = np.asarray(sheet)
    h, w, _ = tile.shape
    corners = np.argwhere((whole == tile[0, 0]).all(axis=2))
    return [(y, x) for y, x in corners if np.array_equal(whole[y : y + h, x : x + w], tile)]


def magnified(tile, factor):
    return tile.repeat(factor, axis=0).repeat(factor, axis=1)


@pytest.mark.parametrize(("count", "factor"), [(1, 3), (16, 3), (32, 2), (64, 1)])
def test_every_image_is_there_crisp_and_in_order(count, factor):
    sources, results = images(count), images(count, seed=1)
    sheet = contact_sheet([SheetRow("source", sources), SheetRow("c = 0.1", results)], "t")
    places = [find(sheet, magnified(tile, factor)) for tile in (*sources, *results)]
    assert all(len(place) == 1 for place in places)
    tops = [place[0][0] for place in places]
    lefts = [place[0][1] for place in places]
    assert len(set(tops[:count])) == 1
    assert tops[count] > tops[0] + 32 * factor
    assert lefts[:count] == lefts[count:] == sorted(lefts[:count])
    assert len(set(np.diff(lefts[:count]))) <= 1  # evenly spaced
    assert sheet.width < 2600


def test_large_images_are_not_magnified():
    pixels = images(2, size=256)
    sheet = contact_sheet([SheetRow("source", pixels)], "t")
    assert len(find(sheet, pixels[0])) == 1


@pytest.mark.parametrize(("rows", "columns"), [(2, 64), (120, 1)])
def test_a_huge_grid_is_shrunk_to_what_a_viewer_opens(tmp_path, rows, columns):
    pixels = np.broadcast_to(np.uint8(7), (columns, 256, 256, 3))
    sheet = contact_sheet([SheetRow(f"row {i}", pixels) for i in range(rows)], "t")
    assert sheet.width < 5000
    assert sheet.height < 20_000
    save_sheet(sheet, tmp_path / "sheet.png", SESSION)
    assert read_session_from_sheet(tmp_path / "sheet.png") == SESSION


def test_a_scale_may_be_asked_for():
    pixels = images(2)
    sheet = contact_sheet([SheetRow("source", pixels)], "t", scale=5)
    assert len(find(sheet, magnified(pixels[1], 5))) == 1


def test_grey_images_and_rows_of_different_length_and_size():
    grey = images(3, channels=1)
    small = images(1, size=16)
    sheet = contact_sheet([SheetRow("grey", grey), SheetRow("small", small)], "t", scale=2)
    assert len(find(sheet, magnified(grey[2].repeat(3, axis=2), 2))) == 1
    assert len(find(sheet, magnified(small[0], 2))) == 1


def test_margins_hold_the_text_and_the_text_only():
    pixels = np.zeros((2, 32, 32, 3), dtype=np.uint8)

    def drawn(row, title="", subtitle=""):
        return contact_sheet([row], title, subtitle=subtitle)

    bare = drawn(SheetRow("", pixels))
    background = bare.getpixel((0, 0))
    labelled = drawn(SheetRow("source", pixels))
    noted = drawn(SheetRow("", pixels, "16/16 sevens  hue 9°"))
    titled = drawn(SheetRow("", pixels), "Round trip", "with a subtitle")
    assert labelled.height == noted.height == bare.height < titled.height
    assert labelled.width > 0
    for sheet in (bare, labelled, noted, titled):
        frame = np.asarray(sheet).copy()
        frame[20:-20, 20:-20] = background
        assert (frame == background).all()  # nothing sticks out of the sheet
        assert len(find(sheet, magnified(pixels[0], 3))) >= 1
    assert len(np.unique(np.asarray(labelled).reshape(-1, 3), axis=0)) > 2
    assert len(np.unique(np.asarray(noted).reshape(-1, 3), axis=0)) > 2


def test_a_long_title_is_wrapped_and_a_long_word_cut():
    pixels = images(1)
    one = contact_sheet([SheetRow("source", pixels)], "short")
    many = contact_sheet([SheetRow("source", pixels)], "many words " * 40)
    endless = contact_sheet([SheetRow("source", pixels)], "x" * 3000)
    assert many.width == one.width == endless.width
    assert many.height > one.height == endless.height


def test_blocks_are_set_apart_and_joined_rows_close():
    def gap(**second):
        sources, results = images(2), images(2, seed=1)
        rows = [SheetRow("a", sources), SheetRow("b", results, **second)]
        sheet = contact_sheet(rows, "t", scale=1)
        return find(sheet, results[0])[0][0] - find(sheet, sources[0])[0][0] - 32

    assert gap(joined=True) < gap() < gap(block="steps = 20")


def test_a_sheet_without_rows_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        contact_sheet([], "t")


def test_the_built_in_font_spells_what_it_cannot_draw():
    assert printable("c = 0.1  9°") == "c = 0.1  9°"
    assert printable("fives → sevens, σ ≤ 3, Köln, 数") == "fives › sevens, sigma <= 3, Koln, ?"


def test_a_sheet_carries_its_session(tmp_path):
    path = tmp_path / "sheet.png"
    save_sheet(contact_sheet([SheetRow("source", images(2))], "t"), path, SESSION)
    assert read_session_from_sheet(path) == SESSION
    first = path.read_bytes()
    save_sheet(contact_sheet([SheetRow("source", images(2))], "t"), path, SESSION)
    assert path.read_bytes() == first  # nothing in it depends on the hour
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.png"]


def test_a_long_session_fits(tmp_path):
    session = "".join(f"# line {i}\n" for i in range(50_000))
    save_sheet(Image.new("RGB", (4, 4)), tmp_path / "sheet.png", session)
    assert read_session_from_sheet(tmp_path / "sheet.png") == session


def test_reading_a_session_from_something_else(tmp_path):
    def message(path):
        with pytest.raises(InputError) as caught:
            read_session_from_sheet(path)
        assert str(path) in str(caught.value)
        return str(caught.value)

    assert "no such file" in message(tmp_path / "missing.png")
    assert message(tmp_path)
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    assert "carries no session" in message(tmp_path / "plain.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "photo.jpg")
    assert "not a PNG" in message(tmp_path / "photo.jpg")
    (tmp_path / "text.png").write_text("version: 1\n")
    assert "not a PNG" in message(tmp_path / "text.png")
    (tmp_path / "empty.png").touch()
    assert "not a PNG" in message(tmp_path / "empty.png")
    Image.new("1", (12_000, 12_000)).save(tmp_path / "bomb.png")
    assert "pixels" in message(tmp_path / "bomb.png")
    save_sheet(Image.effect_noise((64, 64), 50), tmp_path / "sheet.png", SESSION)
    whole = (tmp_path / "sheet.png").read_bytes()
    for length in range(8, 200, 7):  # cut short, it is an error and never a crash
        (tmp_path / "cut.png").write_bytes(whole[:length])
        try:
            assert read_session_from_sheet(tmp_path / "cut.png") == SESSION
        except InputError as error:
            assert "cut.png" in str(error)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 5])
def test_a_strip_comes_apart_as_it_was_put_together(count, channels):
    pixels = images(count, channels=channels)
    parts = split_strip(strip_png(pixels), count)
    assert len(parts) == count
    for part, original in zip(parts, pixels, strict=True):
        np.testing.assert_array_equal(part, np.broadcast_to(original, (32, 32, 3)))


def test_a_broken_strip_is_a_value_error():
    png = strip_png(images(4))
    with pytest.raises(ValueError, match="3 images"):
        split_strip(png, 3)
    with pytest.raises(ValueError, match="0 images"):
        split_strip(png, 0)
    with pytest.raises(ValueError, match="not a strip"):
        split_strip(b"nonsense", 4)
    with pytest.raises(ValueError, match="not a strip"):
        split_strip(png[: len(png) // 2], 4)
