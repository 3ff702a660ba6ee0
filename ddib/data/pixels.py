"""Pixels are fitted to a checkpoint's size and turned into tensors and back.

Pictures are 8-bit pixels, deep ones float32 in [-1, 1]; tensors are in [-1, 1]. A cloud of points
is an image of one row whose "pixels" are its coordinates, float32. Reading needs NumPy and Pillow
only, so that a screen can show images without torch.
"""

from io import BytesIO
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ddib.data.scatter import scatter
from ddib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.uint8]
Values = NDArray[np.uint8] | NDArray[np.float32]
"""Pixels; of deep pictures float32 in [-1, 1], of clouds the coordinates of points."""

POINT_CHANNELS = 2  # coordinates of a point of a cloud


def read_png(data: bytes) -> Pixels:
    """A PNG's pixels, uint8 [H, W, 3]; raises InputError when it is none."""
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"not a PNG image ({error})") from error


def fit_pixels(pixels: Pixels, size: int, channels: int) -> Pixels:
    """RGB pixels [H, W, 3] resized and centre-cropped to [size, size, channels]."""
    fitted = fit_image(Image.fromarray(pixels), size, channels)
    return np.asarray(fitted).reshape(size, size, channels)


def fit_image(image: Image.Image, size: int, channels: int) -> Image.Image:
    """An image in RGB or of floats, resized and centre-cropped to a square; grey for one channel.

    One of that size stays as it is.
    """
    if channels == 1 and image.mode == "RGB":
        image = image.convert("L")
    elif image.size == (size, size):
        return image
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


def to_tensor(pixels: Values) -> "Tensor":
    """uint8 [N, H, W, C] to a float32 tensor [N, C, H, W] in [-1, 1]; other values as they are."""
    import torch

    values = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    return (values.div(127.5).sub(1) if pixels.dtype == np.uint8 else values).contiguous()


def deepened(pixels: Values) -> NDArray[np.float32]:
    """uint8 pixels as float32 in [-1, 1], the very numbers that `to_tensor` has; others as they
    are."""
    if pixels.dtype != np.uint8:
        return cast(NDArray[np.float32], pixels)
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def rounded(pixels: Values) -> Pixels:
    """Pixels as uint8, those of deep pictures to the nearest of 8 bits."""
    if pixels.dtype == np.uint8:
        return cast(Pixels, pixels)
    levels: Pixels = np.rint((pixels + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return levels


def to_pixels(images: "Tensor") -> Pixels:
    """A tensor [N, C, H, W] in [-1, 1] (clipped, rounded) to uint8 [N, H, W, C].

    Points of two coordinates [N, 2, H, W] become scatter plots.
    """
    import torch

    if images.shape[1] == POINT_CHANNELS:
        return scatter(images.detach().flatten(2).transpose(1, 2).float().cpu().numpy())
    levels = images.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())
