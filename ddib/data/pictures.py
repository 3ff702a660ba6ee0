"""Image files are opened within bounds, laid on their background, scaled by their depth and fitted.

Pillow reads them. Of 16 bits a channel it keeps greys only; colours it reads as 8 bits.
"""

from dataclasses import dataclass
from pathlib import Path
from warnings import simplefilter

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL import __version__ as pillow

from ddib.data.files import check_regular
from ddib.data.pixels import Values, fit_image
from ddib.errors import InputError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # Pillow's other decoders stay shut
MAX_PIXELS = 2**26  # 67 million: with what is made of it on the way less than a gigabyte
MAX_EDGE = 65_535  # of JPEG; a longer one is a slip, or made to break a decoder
DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
STRIP = 2**22  # pixels that are laid on the background at once

_TIFF_BITS, _TIFF_POLARITY, _TIFF_ROWS, _TIFF_TILE = 258, 262, 278, (322, 323)
_NO_LIMIT = 2**32 - 1  # of rows in a strip: all

simplefilter("ignore", Image.DecompressionBombWarning)  # the bounds here are narrower


@dataclass(frozen=True)
class Reading:
    """How image files are read.

    background: "#rrggbb", behind what is transparent; bits: of what is stored as 16-bit grey, from
    its low end, None for all that the file has; deep: whether greys finer than 8 bits stay so.
    """

    background: str = "#000000"
    bits: int | None = None
    deep: bool = False


@dataclass(frozen=True)
class Picture:
    """Pixels [size, size, channels]: uint8, or of a deep picture float32 in [-1, 1].

    notes: what was done to it that few pictures need.
    """

    pixels: Values
    notes: tuple[str, ...] = ()


def open_image(path: Path) -> Image.Image:
    """An image file, decoded and upright by its EXIF rotation.

    Raises InputError for anything that is not an image of `FORMATS` of bearable size.
    """
    return _decode(path)[0]


def read_picture(path: Path, size: int, channels: int, reading: Reading) -> Picture:
    """An image file fitted to a checkpoint's size; raises as `open_image` does, and for `bits`
    that the file does not have."""
    image, stored = _decode(path)
    try:
        if image.mode in DEEP_MODES:
            return _read_deep(path, image, size, channels, reading)
        if reading.bits is not None:
            raise InputError(f"{path}: has no 16-bit greys, which bits is for; leave bits out")
        notes = [f"16 bits a channel, read by Pillow {pillow} as 8"] if ";16" in stored else []
        if image.has_transparency_data:
            image, filled = _flatten(image, reading.background)
            notes += [f"transparent parts filled with {reading.background}"] if filled else []
        pixels = np.array(fit_image(image.convert("RGB"), size, channels))
    except InputError:
        raise
    except Exception as error:  # as below
        raise InputError(f"{path}: cannot be read ({error or type(error).__name__})") from error
    return Picture(pixels.reshape(size, size, channels), tuple(notes))


def _decode(path: Path) -> tuple[Image.Image, str]:
    """An image and how Pillow calls what its file stores, such as RGB;16B."""
    check_regular(path)
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_bounds(path, image)
            stored = str([tile[3] for tile in image.tile])
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such image") from None
    except Exception as error:  # a damaged file makes decoders raise nearly anything
        raise InputError(
            f"{path}: not a readable PNG, JPEG, WebP, BMP, GIF or TIFF image "
            f"({error or type(error).__name__})"
        ) from error
    if image.mode in ("I", "F"):
        raise InputError(
            f"{path}: its samples are signed or of 32 bits, whose range nobody knows; "
            "save it with 8 or 16 bits"
        )
    return image, stored


def _check_bounds(path: Path, image: Image.Image) -> None:
    """Raise InputError for more pixels than are opened, in the whole or in a part of a TIFF."""
    width, height = image.size
    tags = getattr(image, "tag_v2", {})
    rows = tags.get(_TIFF_ROWS, _NO_LIMIT)
    tile = [tags.get(tag, 0) for tag in _TIFF_TILE]
    parts = [(width, height), (width, 0 if rows == _NO_LIMIT else rows), (tile[0], tile[1])]
    for across, down in parts:
        if across * down > MAX_PIXELS:
            raise InputError(
                f"{path}: {across}×{down} pixels, more than the {MAX_PIXELS:,} that are opened"
            )
    if max(width, height) > MAX_EDGE:
        raise InputError(
            f"{path}: {width}×{height} pixels, an edge of more than the {MAX_EDGE:,} that are "
            "opened"
        )


def _flatten(image: Image.Image, background: str) -> tuple[Image.Image, bool]:
    """A picture on a background, and whether any of it was transparent."""
    flat, filled = Image.new("RGB", image.size, background), False
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height))).convert("RGBA")
        alpha = strip.getchannel("A")
        filled = filled or int(np.asarray(alpha).min()) < 255
        flat.paste(strip.convert("RGB"), (0, top), alpha)
    return flat, filled


def _read_deep(
    path: Path, image: Image.Image, size: int, channels: int, reading: Reading
) -> Picture:
    """16-bit greys, scaled by their depth."""
    tags = getattr(image, "tag_v2", {})
    bits = reading.bits or tags.get(_TIFF_BITS, (16,))[0]
    top, highest = 2**bits - 1, int(np.asarray(image).max())
    if highest > top:
        raise InputError(f"{path}: has levels up to {highest}, and {bits} bits end at {top}")
    white_is_zero = tags.get(_TIFF_POLARITY) == 0
    hidden = image.info.get("transparency")
    if reading.deep and hidden is None:
        levels = np.asarray(fit_image(image.convert("F"), size, 1)).reshape(size, size, 1)
        values = np.clip(levels / np.float32(top / 2) - np.float32(1), -1, 1).astype(np.float32)
        values = np.repeat(-values if white_is_zero else values, channels, axis=2)
        return Picture(values, (f"{bits} bits of grey, read by Pillow {pillow}",))
    grey = _to_8_bits(np.asarray(image), top, white_is_zero)
    flat, notes = grey.convert("RGB"), [f"{bits} bits of grey, rounded to 8"]
    if hidden is not None:
        mask = Image.fromarray(np.asarray(image) != hidden)
        flat = Image.composite(flat, Image.new("RGB", flat.size, reading.background), mask)
        notes.append(f"transparent parts filled with {reading.background}")
    pixels = np.array(fit_image(flat, size, channels)).reshape(size, size, channels)
    return Picture(pixels, tuple(notes))


def _to_8_bits(levels: NDArray[np.uint16], top: int, white_is_zero: bool) -> Image.Image:
    """Greys of 0 to `top` as 0 to 255."""
    table = np.rint(np.arange(top + 1) * (255 / top)).astype(np.uint8)
    return Image.fromarray((table[::-1] if white_is_zero else table)[levels])
