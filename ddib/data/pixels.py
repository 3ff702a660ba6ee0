"""Pixels are read from image files, fitted to a checkpoint's size and turned into tensors and back.

Pictures are 8-bit pixels and tensors in [-1, 1]; a cloud of points is an image of one row whose
"pixels" are its coordinates, float32. Reading needs NumPy and Pillow only, so that a screen can
show images without torch.
"""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ddib.data.scatter import scatter
from ddib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.uint8]
Values = NDArray[np.uint8] | NDArray[np.float32]
"""Pixels, or of clouds the coordinates of points."""

POINT_CHANNELS = 2  # coordinates of a point of a cloud
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # the rest of old Pillow's decoders stay shut
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
MAX_PIXELS = 100_000_000


def open_image(path: Path) -> Image.Image:
    """An image file as RGB(A) or grey, upright by its EXIF rotation.

    Raises InputError for anything that is not a PNG, JPEG, WebP, BMP or GIF of bearable size.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f"{path}: {image.width}×{image.height} pixels, more than the {MAX_PIXELS:,} "
                    "that are opened"
                )
            return (ImageOps.exif_transpose(image) or image).copy()
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such image") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: not a readable PNG, JPEG, WebP, BMP or GIF image ({error})"
        ) from error


def read_png(data: bytes) -> Pixels:
    """A PNG's pixels, uint8 [H, W, 3]; raises InputError when it is none."""
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"not a PNG image ({error})") from error


def read_fitted(path: Path, size: int, channels: int) -> Pixels:
    """An image file's pixels, uint8 [size, size, channels]; raises as `open_image` does."""
    return fit_pixels(np.asarray(open_image(path).convert("RGB")), size, channels)


def fit_pixels(pixels: Pixels, size: int, channels: int) -> Pixels:
    """RGB pixels [H, W, 3] resized and centre-cropped to [size, size, channels]."""
    if channels == 3 and pixels.shape[:2] == (size, size):
        return pixels
    image = Image.fromarray(pixels)
    if channels == 1:
        image = image.convert("L")
    fitted = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(fitted).reshape(size, size, channels)


def to_tensor(pixels: Values) -> "Tensor":
    """uint8 [N, H, W, C] to a float32 tensor [N, C, H, W] in [-1, 1]; points as they are."""
    import torch

    values = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    return (values.div(127.5).sub(1) if pixels.dtype == np.uint8 else values).contiguous()


def to_pixels(images: "Tensor") -> Pixels:
    """A tensor [N, C, H, W] in [-1, 1] (clipped, rounded) to uint8 [N, H, W, C].

    Points of two coordinates [N, 2, H, W] become scatter plots.
    """
    import torch

    if images.shape[1] == POINT_CHANNELS:
        return scatter(images.detach().flatten(2).transpose(1, 2).float().cpu().numpy())
    levels = images.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())
