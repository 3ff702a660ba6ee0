"""Colored MNIST against its protocol, image files as they are met in the wild."""

import colorsys
import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddib.data.loading import load_images
from ddib.data.mnist import PACKAGED_MNIST, colorize, count_available, read_mnist
from ddib.data.pixels import to_pixels, to_tensor
from ddib.data.sources.colored_mnist import ColoredMNIST, colored_mnist
from ddib.data.sources.image_files import ImageFiles
from ddib.errors import InputError


def load(spec: ColoredMNIST | ImageFiles, base: Path = Path(), size: int = 32, channels: int = 3):
    return load_images([spec], size=size, channels=channels, base=base)


def test_the_package_holds_a_hundred_of_each_digit() -> None:
    assert [count_available(digit) for digit in range(10)] == [100] * 10


def test_hue_is_all_that_is_drawn() -> None:
    """Full saturation, value = grey level, black background, rounded to 8 bits."""
    images = load(ColoredMNIST(digit=5, count=3, seed=4))
    grey, labels = read_mnist(PACKAGED_MNIST)
    fives = np.pad(grey[labels == 5][:3], ((0, 0), (2, 2), (2, 2)))
    hues = np.random.default_rng(4).random(3)
    for pixels, five, hue in zip(images.pixels, fives, hues, strict=True):
        wanted = np.array(colorsys.hsv_to_rgb(hue, 1.0, 1.0)) * five[..., None]
        assert np.abs(pixels - wanted).max() <= 0.5001
    assert images.labels == (5, 5, 5)


def test_more_images_do_not_change_the_first_ones() -> None:
    few, many = load(ColoredMNIST(count=4)), load(ColoredMNIST(count=40))
    assert np.array_equal(few.pixels, many.pixels[:4])
    assert few.names == many.names[:4]


def test_seed_changes_hues_and_not_digits() -> None:
    one, other = load(ColoredMNIST(seed=0)), load(ColoredMNIST(seed=1))
    assert not np.array_equal(one.pixels, other.pixels)
    assert np.abs(one.pixels.max(-1).astype(int) - other.pixels.max(-1)).max() <= 1


def test_count_too_large_names_the_key_and_what_to_do() -> None:
    with pytest.raises(
        InputError, match=r"count 101 .* 100 test images of digit 5.*repeat"
    ) as info:
        load(ColoredMNIST(count=101))
    assert info.value.key == "source.images.0"
    again = load(ColoredMNIST(count=101, repeat=True))
    assert np.array_equal(again.pixels[100].max(-1) > 0, again.pixels[0].max(-1) > 0)
    assert not np.array_equal(again.pixels[100], again.pixels[0])


@pytest.mark.parametrize("packed", [True, False])
def test_a_root_folder_with_or_without_gz(tmp_path: Path, packed: bool) -> None:
    for path in PACKAGED_MNIST.glob("*.gz"):
        name = path.name if packed else path.stem
        (tmp_path / name).write_bytes(
            path.read_bytes() if packed else gzip.decompress(path.read_bytes())
        )
    images = load(ColoredMNIST(root=tmp_path.name), base=tmp_path.parent)
    assert np.array_equal(images.pixels, load(ColoredMNIST()).pixels)


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_damaged_mnist_files_are_named(tmp_path: Path, damage: str) -> None:
    for path in PACKAGED_MNIST.glob("*.gz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    images = tmp_path / "t10k-images-idx3-ubyte.gz"
    if damage == "missing":
        images.unlink()
    elif damage == "cut":
        images.write_bytes(images.read_bytes()[:1000])
    else:
        images.write_bytes(gzip.compress(b"something else altogether"))
    with pytest.raises(InputError, match="t10k-images"):
        load(ColoredMNIST(root=str(tmp_path)))


def test_pixels_and_tensors_are_inverse() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    tensor = to_tensor(levels)
    assert (tensor.min(), tensor.max()) == (-1, 1)
    assert np.array_equal(to_pixels(tensor), levels)
    assert to_pixels(torch.full((1, 3, 2, 2), 9.0)).max() == 255


def test_colored_mnist_is_a_tensor() -> None:
    images = colored_mnist(digit=7, count=2)
    assert images.shape == (2, 3, 32, 32)
    assert images.min() == -1
    assert images.max() <= 1


def test_black_stays_black_and_hue_wraps() -> None:
    grey = np.zeros((2, 4, 4), np.uint8)
    assert not colorize(grey, np.array([0.0, 0.999])).any()
    white = np.full((1, 1, 1), 255, np.uint8)
    assert colorize(white, np.array([0.0])).tolist() == [[[[255, 0, 0]]]]
    assert colorize(white, np.array([1 / 3])).tolist() == [[[[0, 255, 0]]]]


def test_picked_digits_are_those_of_the_plain_draw() -> None:
    plain = load(ColoredMNIST(count=20, seed=3))
    picked = load(ColoredMNIST(count=20, seed=3, indices=(17, 2)))
    assert np.array_equal(picked.pixels, plain.pixels[[17, 2]])
    assert picked.names == (plain.names[17], plain.names[2]) and picked.labels == (5, 5)


@pytest.mark.parametrize(
    ("indices", "words"),
    [
        ((16,), "not below count 16"),
        ((1, 1), "1 stands there twice"),
        ((-1,), "greater"),
        ((), "at least 1"),
    ],
)
def test_picks_that_cannot_be(indices: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ColoredMNIST(indices=indices)


# ---- image files


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".gif"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (64, 48), (200, 30, 30)).save(tmp_path / f"a{suffix}")
    images = load(ImageFiles(path=f"*{suffix}"), base=tmp_path)
    assert images.pixels.shape == (1, 32, 32, 3)
    assert np.abs(images.pixels[0, 16, 16].astype(int) - [200, 30, 30]).max() < 12
    assert images.names == ("a",)
    assert images.files == (tmp_path / f"a{suffix}",)


def test_centre_crop_resize_and_order(tmp_path: Path) -> None:
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, 32:64] = 255
    Image.fromarray(wide).save(tmp_path / "b.png")
    Image.new("L", (8, 8), 7).save(tmp_path / "a.png")
    images = load(ImageFiles(path=str(tmp_path)))
    assert images.names == ("a", "b")
    assert images.pixels[1].min() == 255
    assert load(ImageFiles(path="a.png"), tmp_path, size=16, channels=1).pixels.shape == (
        1,
        16,
        16,
        1,
    )


def test_exif_rotation_is_honoured(tmp_path: Path) -> None:
    upright = Image.new("RGB", (32, 32))
    upright.paste((255, 0, 0), (0, 0, 32, 16))  # red above
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to show
    upright.rotate(90, expand=True).save(tmp_path / "a.jpg", exif=exif, quality=95)
    pixels = load(ImageFiles(path="a.jpg"), base=tmp_path).pixels[0]
    assert pixels[4, 16, 0] > 200
    assert pixels[28, 16, 0] < 50


@pytest.mark.parametrize("content", [b"just text", b"", b"\x89PNG\r\n\x1a\n cut off"])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.png: not a readable PNG"):
        load(ImageFiles(path="*.png"), base=tmp_path)


def test_formats_with_dangerous_decoders_stay_shut(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", format="PPM")
    with pytest.raises(InputError, match="not a readable PNG"):
        load(ImageFiles(path="a.png"), base=tmp_path)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image matches"):
        load(ImageFiles(path=str(tmp_path)))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("b.png", "a.png", "deep/a.png", ".hidden.png", "notes.txt", "d.png/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (len(name), 0, 0)).save(tmp_path / name, format="PNG")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (".", ["a.png", "b.png"]),
        ("*.png", ["a.png", "b.png"]),
        ("[!a]*", ["b.png"]),
        ("a.png", ["a.png"]),
        ("notes.txt", ["notes.txt"]),
        ("**/a.png", ["a.png", "deep/a.png"]),
        ("deep/*", ["a.png"]),
        ("*/*.png", ["d.png/e.png", "deep/a.png"]),
    ],
)
def test_what_a_pattern_finds(photos: Path, pattern: str, names: list[str]) -> None:
    assert list(ImageFiles(path=pattern).find(photos).names) == names


def test_picked_files(photos: Path) -> None:
    images = load(ImageFiles(path="**/*.png", names=("deep/a.png", "b.png")), photos)
    assert images.files == (photos / "deep/a.png", photos / "b.png")
    assert load(ImageFiles(path="*.png", count=1), photos).names == ("a",)
    with pytest.raises(InputError, match=r"no c\.png among the 2 images"):
        load(ImageFiles(path="*.png", names=("c.png",)), photos)
    with pytest.raises(InputError, match="count 3 is more than the 2 images"):
        load(ImageFiles(path="*.png", count=3), photos)
    with pytest.raises(ValueError, match="exclude each other"):
        ImageFiles(path="*.png", count=1, names=("a.png",))
