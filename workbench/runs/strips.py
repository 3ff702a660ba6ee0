"""Images and latents as pixels: strips of them in a PNG, latents in shades of grey."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ddib.data.pixels import POINT_CHANNELS
from ddib.data.scatter import scatter

Pixels = NDArray[np.uint8]

LATENT_RANGE = 2.5  # standard deviations of a latent from black to white


def strip_png(pixels: Pixels) -> bytes:
    """`pixels` [n, h, w, c], n ≥ 1, c = 1 or 3, as one RGB PNG of size [h, n·w]."""
    buffer = io.BytesIO()
    # Level 1: strips are sent several times a second, and noise does not compress anyway.
    Image.fromarray(np.concatenate(list(rgb(pixels)), axis=1)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def split_strip(png: bytes, columns: int) -> list[Pixels]:
    """The inverse of `strip_png`: `columns` images [h, w, 3].

    Raises ValueError when the bytes are no PNG or do not divide into that many columns.
    """
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            pixels = np.array(image.convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a strip of images: {error}") from None
    if columns < 1 or pixels.shape[1] % columns:
        raise ValueError(f"{pixels.shape[1]} pixels do not divide into {columns} images")
    return np.split(pixels, columns, axis=1)


def latent_pixels(latents: NDArray[Any]) -> Pixels:
    """Latents [n, c, h, w] as pixels [n, h, w, c]: grey is 0, black and white are ∓2.5.

    Those of points become scatter plots, as the points do.
    """
    if latents.shape[1] == POINT_CHANNELS:
        return scatter(latents.reshape(*latents.shape[:2], -1).transpose(0, 2, 1))
    levels = np.rint((latents.astype(np.float32) / np.float32(LATENT_RANGE) + 1) * 127.5)
    levels = np.nan_to_num(levels).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(0, 2, 3, 1))


def rgb(pixels: Pixels) -> Pixels:
    """`pixels` [..., c] with c = 1 or 3 as [..., 3]."""
    return np.broadcast_to(pixels, (*pixels.shape[:-1], 3))
