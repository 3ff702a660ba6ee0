"""The operations: edits of an image before encoding or of a latent before decoding.

An operation is a frozen pydantic model, one class each. The class is everything there is to say:
its fields are the keys in a session file, the form on the screen and the rows of the
documentation; its docstring is the help; `apply` is the effect. A new operation is a new class in
this file.

Every operation maps [N, C, H, W] to [N, C, H, W] of the same dtype and device, and the result for
one image does not depend, to the last bit, on which other images are in the batch.

Importing this module loads no torch.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field

from ddib.data.pixels import POINT_CHANNELS
from ddib.errors import InputError
from ddib.operations.sweeps import sweepable
from ddib.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

Stage = Literal["image", "latent"]

_TRUNCATE = 4.0  # scipy.ndimage.gaussian_filter's default: the kernel ends at 4 sigma
_LARGEST_SEED = 2**32 - 1


class Everything(Protocol):
    """All of a session's images or latents [M, C, H, W]: a tensor, or what is indexed like one."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: list[int], /) -> Tensor: ...


@dataclass(frozen=True)
class Context:
    """What an operation may know besides the tensor it edits.

    image: the source [N, C, H, W] in [-1, 1], as it is before any edit, row for row with the
        edited tensor; None where there is none (operations that need it then raise InputError).
    first_index: the place of the first image in the session, so that noise per image does not
        depend on how the session is cut into chunks.
    stage: what is edited. On "image" brightness is (x + 1) / 2, so that 0 is black.
    everything: the unedited latents of the whole session (on the image stage its images), for
        operations that lead from one image towards another; None where there is one batch only.
    before: the tensor as it was before each operation of the stack so far, the oldest first.
    """

    image: Tensor | None = None
    first_index: int = 0
    stage: Stage = "latent"
    everything: Everything | None = None
    before: tuple[Tensor, ...] = ()


class Operation(BaseModel):
    """One edit of an image or a latent; subclasses register themselves in OPERATIONS."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    pictures_only: ClassVar[bool] = False
    """Whether it means nothing for a cloud of points, whose neighbours are not near."""

    op: str
    enabled: bool = Field(default=True, description="false: kept in the session, not applied")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter a class that names itself; one that only widens another's fields does not."""
        super().__pydantic_init_subclass__(**kwargs)
        if "op" in get_annotations(cls):
            name = cls.model_fields["op"].default
            if get_args(cls.model_fields["op"].annotation) != (name,):
                raise ValueError(f'{cls.__name__} needs a name: op: Literal["name"] = "name"')
            OPERATIONS.register(name, cls)

    def __call__(self, z: Tensor, context: Context | None = None) -> Tensor:
        """Apply to z [N, C, H, W]; without a context z is a latent without its source."""
        return self.apply(z, context or Context())

    @property
    def reads_everything(self) -> bool:
        """Whether it asks for other images than those that it edits (`Context.everything`)."""
        return False

    @abstractmethod
    def apply(self, z: Tensor, context: Context) -> Tensor:
        """The edited z, [N, C, H, W]. Does not look at `enabled` and does not change z."""


def _check_usable(name: str, operation: type[Operation]) -> None:
    """Raise ValueError unless the class can be made without arguments and swept."""
    for parameter, field in operation.model_fields.items():
        if field.is_required():
            raise ValueError(f"{operation.__name__}.{parameter} needs a default value")
    operation(op=name)  # with all of its methods
    sweepable(operation).model_json_schema()


OPERATIONS: Registry[type[Operation]] = Registry("operation", "operations", _check_usable)
"""Every operation by its name."""


class Normalize(Operation):
    """Give each image (or channel) mean 0 and deviation 1, or divide by its norm or maximum."""

    op: Literal["normalize"] = "normalize"
    mode: Literal["standard", "channel", "l2", "max"] = Field(
        default="standard",
        description="standard: (z - mean) / std of the image; channel: the same per channel; "
        "l2: z / its Euclidean norm; max: z / its largest absolute value",
    )

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """Population statistics; what has no variance stays as it is."""
        return _per_image(self._normalize, z)

    def _normalize(self, image: Tensor) -> Tensor:
        import torch

        axes = (1, 2) if self.mode == "channel" else (0, 1, 2)
        # Asking for the extremes is exact where a computed deviation of equal numbers is not.
        flat = image.amax(axes, keepdim=True) == image.amin(axes, keepdim=True)
        if self.mode == "l2":
            normalized = image / image.square().sum().sqrt()
        elif self.mode == "max":
            normalized = image / image.abs().max()
        else:
            centred = image - image.mean(axes, keepdim=True)
            normalized = centred / centred.square().mean(axes, keepdim=True).sqrt()
        return torch.where(flat, image, normalized)


class Scale(Operation):
    """Multiply by a factor."""

    op: Literal["scale"] = "scale"
    factor: float = Field(default=1.0, ge=-1000, le=1000, description="what to multiply by")

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """factor·z; on the image stage the brightness (x + 1) / 2 is multiplied."""
        return _amplify(z, self.factor, context.stage)


class AddNoise(Operation):
    """Add fixed Gaussian noise: z + c·n, or z + c·n·z when multiplicative."""

    op: Literal["add_noise"] = "add_noise"
    coefficient: float = Field(
        default=0.1,
        ge=0,
        le=100,
        description="c, the strength of the noise",
        json_schema_extra={"symbol": "c"},
    )
    seed: int = Field(default=0, ge=0, le=_LARGEST_SEED, description="which noise is drawn")
    per_image: bool = Field(default=False, description="true: each image has noise of its own")
    multiplicative: bool = Field(default=False, description="true: the noise is multiplied by z")

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """z + c·n, n ~ N(0, 1) of shape [C, H, W], or one for each image."""
        noise = self.coefficient * _noise(z, self.seed, self.per_image, context.first_index)
        return z + (noise * z if self.multiplicative else noise)


class Blend(Operation):
    """Mix with the source image: (1 - p)·z + p·image."""

    op: Literal["blend"] = "blend"
    proportion: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="p, the share of the source image",
        json_schema_extra={"symbol": "p"},
    )

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """(1 - p)·z + p·x₀; InputError when the context has no image of z's shape."""
        return (1 - self.proportion) * z + self.proportion * _source_image(z, context, self.op)


class Checkerboard(Operation):
    """Replace every other cell by the source image or by fixed Gaussian noise."""

    pictures_only: ClassVar[bool] = True

    op: Literal["checkerboard"] = "checkerboard"
    other: Literal["image", "noise"] = Field(
        default="image", description="what the odd cells show: the source image or noise"
    )
    cell: int = Field(default=1, ge=1, le=4096, description="edge of a cell in pixels")
    phase: int = Field(default=0, ge=0, le=1, description="1: the even cells are replaced instead")
    seed: int = Field(default=0, ge=0, le=_LARGEST_SEED, description="which noise is drawn")

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """z where ⌊i/cell⌋ + ⌊j/cell⌋ + phase is even; InputError as for Blend."""
        import torch

        rows = torch.arange(z.shape[-2], device=z.device)[:, None] // self.cell
        columns = torch.arange(z.shape[-1], device=z.device)[None, :] // self.cell
        if self.other == "image":
            other = _source_image(z, context, self.op)
        else:
            other = standard_noise(self.seed, None, z.shape[1:]).to(z)
        return torch.where((rows + columns + self.phase) % 2 == 0, z, other)


class Blur(Operation):
    """Blur in space with a Gaussian, then multiply by a gain."""

    pictures_only: ClassVar[bool] = True

    op: Literal["blur"] = "blur"
    sigma: float = Field(
        default=2.0, ge=0, le=1000, description="width of the Gaussian in pixels; 0: no blur"
    )
    gain: float = Field(default=1.0, ge=0, le=1000, description="what to multiply by afterwards")

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """As scipy.ndimage.gaussian_filter over H and W (mode reflect, truncate 4), times gain.

        On the image stage the gain multiplies the brightness (x + 1) / 2.
        """
        vertical = _blur_matrix(z.shape[-2], self.sigma)
        horizontal = _blur_matrix(z.shape[-1], self.sigma)
        blurred = _per_image(lambda image: vertical @ image @ horizontal.T, z)
        return _amplify(blurred, self.gain, context.stage)


class Rotate(Operation):
    """Rotate counter-clockwise about the centre; the size stays, corners are filled."""

    op: Literal["rotate"] = "rotate"
    degrees: float = Field(default=60.0, ge=-360, le=360, description="angle, counter-clockwise")
    interpolation: Literal["nearest", "bilinear"] = Field(
        default="nearest", description="how values between pixels are found"
    )
    fill: float = Field(
        default=0.0, ge=-100, le=100, description="what comes in from outside; image: 0 is black"
    )

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """As torchvision.transforms.functional.rotate on tensors, with `fill`.

        On the image stage it is the brightness (x + 1) / 2 that is rotated and filled. Points of
        a plane, [N, 2, H, W], turn about the origin.
        """
        import torch

        if _is_plane(z):
            return _rotated_points(z, self.degrees)
        black, unit = (-1, 2) if context.stage == "image" else (0, 1)
        grid = _rotation_grid(z.shape[-2], z.shape[-1], self.degrees)
        rotated = [self._rotate(image, grid, unit * self.fill) for image in z.cpu() - black]
        return (torch.stack(rotated) + black).to(z)

    def _rotate(self, image: Tensor, grid: Tensor, fill: float) -> Tensor:
        import torch
        from torch.nn.functional import grid_sample

        inside = torch.ones_like(image[:1])
        sampled = grid_sample(
            torch.cat([image, inside])[None],
            grid.to(image),
            mode=self.interpolation,
            padding_mode="zeros",
            align_corners=False,
        )[0]
        # How much of each pixel comes from inside: 0 or 1 for nearest. torchvision weighs by it
        # once more although the zeros outside have done so already, and so do we.
        share = sampled[-1:]
        return sampled[:-1] * share + (1 - share) * fill


class Tint(Operation):
    """Shift the channels by the source's foreground colour: z + a·(c - mean of c)."""

    pictures_only: ClassVar[bool] = True

    op: Literal["tint"] = "tint"
    amount: float = Field(
        default=0.1,
        ge=-10,
        le=10,
        description="a, how far; negative: towards the opposite colour",
        json_schema_extra={"symbol": "a"},
    )

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """c: the source's mean colour in [0, 1], weighted by brightness. InputError as for Blend.

        The mean of c over its channels is taken off, so that grey shifts nothing.
        """
        image = _source_image(z, context, self.op)
        return z + self.amount * _per_image(_foreground_shift, image)


class Gaussianize(Operation):
    """Map the values by their rank to those of a normal distribution."""

    op: Literal["gaussianize"] = "gaussianize"
    over: Literal["image", "channel"] = Field(
        default="image", description="whether all values of an image are ranked, or each channel's"
    )

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """The k-th smallest of n values becomes Φ⁻¹((k - 1/2) / n), equal ones by their place."""
        return _per_image(lambda image: _normal_scores(image, self.over == "channel"), z)


class Whiten(Operation):
    """Flatten the spectrum, so that neighbouring pixels are no more alike than distant ones."""

    pictures_only: ClassVar[bool] = True

    op: Literal["whiten"] = "whiten"
    amount: float = Field(
        default=1.0, ge=0, le=1, description="0: the spectrum stays, 1: it is flat"
    )

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """Fourier amplitudes over the root mean square of their ring, to the power `amount`.

        A ring is one cycle per image wide. Mean and deviation of each channel stay.
        """
        return _per_image(lambda image: _whitened(image, self.amount), z)


class FrequencyMix(Operation):
    """Keep the low frequencies and take the high ones from noise or another image's latent."""

    pictures_only: ClassVar[bool] = True

    op: Literal["frequency_mix"] = "frequency_mix"
    cutoff: float = Field(
        default=0.25, ge=0, le=1, description="radius of what is kept, in cycles per pixel"
    )
    other: Literal["noise", "image"] = Field(
        default="noise",
        description="where the high ones come from: Gaussian noise, or another image's latent",
    )
    offset: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="which image: so many places further, going round",
    )
    seed: int = Field(default=0, ge=0, le=_LARGEST_SEED, description="which noise is drawn")
    per_image: bool = Field(default=False, description="true: each image has noise of its own")

    @property
    def reads_everything(self) -> bool:
        """Towards noise no image needs another."""
        return self.other == "image"

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """z where |f| ≤ cutoff, elsewhere n ~ N(0, 1), or the unedited latent of another image.

        0.71 and more keeps everything. InputError when the context has no other image's latent.
        """
        import torch

        low = _radius(z.shape[-2], z.shape[-1]) <= self.cutoff
        other = _other(z, self, context)
        return _per_image(
            lambda both: (
                torch.fft.ifft2(torch.fft.fft2(both[0]).where(low, torch.fft.fft2(both[1]))).real
            ),
            torch.stack([z, other], 1),
        )


class Slerp(Operation):
    """Turn the latent along the sphere towards fixed noise or another image's latent."""

    op: Literal["slerp"] = "slerp"
    fraction: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="t, how much of the angle",
        json_schema_extra={"symbol": "t"},
    )
    other: Literal["noise", "image"] = Field(
        default="noise",
        description="what it is turned towards: Gaussian noise, or another image's latent",
    )
    offset: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="which image: so many places further, going round",
    )
    seed: int = Field(default=0, ge=0, le=_LARGEST_SEED, description="which noise is drawn")
    per_image: bool = Field(default=False, description="true: each image has noise of its own")

    @property
    def reads_everything(self) -> bool:
        """Towards noise no image needs another."""
        return self.other == "image"

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """(sin((1 - t)θ)·z + sin(tθ)·n) / sin θ (Song et al., DDIM, appendix D.5).

        n is noise or the other image's unedited latent, θ the angle between z and n, both as
        vectors of C·H·W numbers. InputError when the context has no other image's latent.
        """
        import torch

        other = _other(z, self, context)
        return _per_image(
            lambda both: _slerp(both[0], both[1], self.fraction), torch.stack([z, other], 1)
        )


class Flip(Operation):
    """Mirror."""

    op: Literal["flip"] = "flip"
    direction: Literal["horizontal", "vertical"] = Field(
        default="horizontal", description="horizontal: left and right change places"
    )

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """As torchvision's hflip or vflip; points of a plane, [N, 2, H, W], change a sign."""
        if _is_plane(z):
            signs = (-1, 1) if self.direction == "horizontal" else (1, -1)
            return z * z.new_tensor(signs)[:, None, None]
        return z.flip(-1 if self.direction == "horizontal" else -2)


class Shuffle(Operation):
    """Cut into square patches and put them together in another order."""

    pictures_only: ClassVar[bool] = True

    op: Literal["shuffle"] = "shuffle"
    patch: int = Field(default=8, ge=1, le=4096, description="edge of a patch in pixels")
    seed: int = Field(default=0, ge=0, le=_LARGEST_SEED, description="which order is drawn")

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """The same order for every image; what no whole patch covers stays where it is."""
        import numpy as np
        import torch

        size = self.patch
        down, across = z.shape[-2] // size, z.shape[-1] // size
        order = torch.from_numpy(np.random.default_rng(self.seed).permutation(down * across))
        inner = z[..., : down * size, : across * size]
        grid = inner.reshape(*z.shape[:2], down, size, across, size).transpose(-3, -2)
        patches = grid.flatten(-4, -3)[..., order.to(z.device), :, :].reshape(grid.shape)
        shuffled = z.clone()
        shuffled[..., : down * size, : across * size] = patches.transpose(-3, -2).reshape(
            inner.shape
        )
        return shuffled


class Clamp(Operation):
    """Bring what is beyond two limits back to them."""

    op: Literal["clamp"] = "clamp"
    low: float = Field(default=-3.0, ge=-1000, le=1000, description="nothing is less")
    high: float = Field(default=3.0, ge=-1000, le=1000, description="nothing is more")

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """min(max(z, low), high); on the image stage the brightness (x + 1) / 2 is limited."""
        black, unit = (-1, 2) if context.stage == "image" else (0, 1)
        return z.clamp(black + unit * self.low, black + unit * self.high)


class Mask(Operation):
    """Keep what the operations above did inside a region only, or outside it."""

    pictures_only: ClassVar[bool] = True

    op: Literal["mask"] = "mask"
    shape: Literal["ellipse", "rectangle", "foreground"] = Field(
        default="ellipse", description="the region; foreground: where the source image is bright"
    )
    keep: Literal["inside", "outside"] = Field(
        default="inside", description="where the edit stays; elsewhere it is taken back"
    )
    operations: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="how many of the operations above it, those switched off included",
    )
    x: float = Field(
        default=0.5, ge=0, le=1, description="centre, as a share of the width; 0: left"
    )
    y: float = Field(
        default=0.5, ge=0, le=1, description="centre, as a share of the height; 0: top"
    )
    width: float = Field(default=0.5, ge=0, le=2, description="as a share of the image's")
    height: float = Field(default=0.5, ge=0, le=2, description="as a share of the image's")
    threshold: float = Field(
        default=0.1, ge=0, le=1, description="brightness above which the foreground begins"
    )

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """z in the region, elsewhere as it was before the operations; z where there is none above.

        A pixel is in the region when its centre is. InputError for the foreground as for Blend.
        """
        if not context.before:
            return z
        before = context.before[-min(self.operations, len(context.before))]
        inside = self._region(z, context)
        return z.where(inside if self.keep == "inside" else ~inside, before)

    def _region(self, z: Tensor, context: Context) -> Tensor:
        import torch

        if self.shape == "foreground":
            brightness = (_source_image(z, context, self.op) + 1) / 2
            return brightness.amax(1, keepdim=True) > self.threshold
        down, across = (
            ((torch.arange(size, dtype=torch.float64) + 0.5) / size - centre).abs()
            for size, centre in ((z.shape[-2], self.y), (z.shape[-1], self.x))
        )
        if self.shape == "rectangle":
            inside = (down <= self.height / 2)[:, None] & (across <= self.width / 2)
        else:
            scaled = torch.hypot((down * self.width)[:, None], across * self.height)
            inside = scaled <= self.width * self.height / 2
        return inside.to(z.device)


def standard_noise(seed: int, index: int | None, shape: tuple[int, ...]) -> Tensor:
    """N(0, 1) noise of a shape, float32 on the CPU, keyed by (seed, index of the image).

    index None is the noise that all images share. numpy's generator rather than torch's: it has
    a key wide enough for both numbers, and does not depend on the CPU's vector instructions.
    """
    import numpy as np
    import torch

    key = np.random.SeedSequence(seed, spawn_key=() if index is None else (index,))
    noise = np.random.default_rng(key).standard_normal(tuple(shape), dtype=np.float32)
    return torch.from_numpy(noise)


def _is_plane(z: Tensor) -> bool:
    """Whether these are points of two coordinates: no picture has two channels."""
    return z.shape[1] == POINT_CHANNELS


def _rotated_points(z: Tensor, degrees: float) -> Tensor:
    import torch

    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = z.double().unbind(1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], 1).to(z)


def _noise(z: Tensor, seed: int, per_image: bool, first_index: int) -> Tensor:
    """Fixed noise of z's shape: the same for every image, or each image's own."""
    import torch

    if not per_image:
        return standard_noise(seed, None, z.shape[1:]).to(z).expand_as(z)
    indices = range(first_index, first_index + len(z))
    return torch.stack([standard_noise(seed, i, z.shape[1:]) for i in indices]).to(z)


def _other(z: Tensor, operation: FrequencyMix | Slerp, context: Context) -> Tensor:
    """What is mixed in, of z's shape: noise, or for each image the unedited state of another."""
    if operation.other == "noise":
        return _noise(z, operation.seed, operation.per_image, context.first_index)
    if context.everything is None:
        raise InputError(
            f"{operation.op} with another image needs the latents of all: "
            "pass Context(everything=…), a tensor [M, C, H, W]"
        )
    first, count = context.first_index + operation.offset, len(context.everything)
    others = context.everything[[place % count for place in range(first, first + len(z))]]
    if others.shape != z.shape:
        raise InputError(
            f"{operation.op} needs other latents of the shape {tuple(z.shape)}, "
            f"not {tuple(others.shape)}"
        )
    return others.to(z)


def _per_image(edit: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """`edit` each image [C, H, W] on its own, in float64 on the CPU.

    Sums over a whole batch are split differently for different batch sizes and devices, which
    shows in the last bits; an image by itself always gives the same.
    """
    import torch

    return torch.stack([edit(image.cpu().double().contiguous()) for image in z]).to(z)


def _amplify(z: Tensor, factor: float, stage: Stage) -> Tensor:
    """factor·z, or on the image stage 2·(factor·(x + 1)/2) - 1.

    That is done in float64, so that black stays -1 and a factor of 1 changes nothing.
    """
    if stage == "latent":
        return z * factor
    return _per_image(lambda image: (image + 1) * factor - 1, z)


def _source_image(z: Tensor, context: Context, op: str) -> Tensor:
    if context.image is None:
        raise InputError(f"{op} needs the source image: pass Context(image=…)")
    if context.image.shape != z.shape:
        raise InputError(
            f"{op} needs a source image of the latent's shape {tuple(z.shape)}, "
            f"not {tuple(context.image.shape)}"
        )
    return context.image.to(z)


def _foreground_shift(image: Tensor) -> Tensor:
    """An image [C, H, W] in [-1, 1] to its colour less the colour's mean, the same everywhere."""
    rgb = (image.clamp(-1, 1) + 1) / 2
    weight = rgb.amax(0)
    colour = (rgb * weight).sum((1, 2)) / weight.sum().clamp(min=1e-12)
    return (colour - colour.mean())[:, None, None].expand_as(image)


def _normal_scores(image: Tensor, per_channel: bool) -> Tensor:
    import torch

    flat = image.flatten(1) if per_channel else image.reshape(1, -1)
    ranks = flat.argsort(dim=1, stable=True).argsort(dim=1)
    scores: Tensor = torch.special.ndtri((ranks.to(image) + 0.5) / flat.shape[1])
    return scores.reshape(image.shape)


def _radius(height: int, width: int) -> Tensor:
    """|f| of each coefficient of a 2-D Fourier transform [H, W], cycles per pixel, float64."""
    import torch

    down = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    across = torch.fft.fftfreq(width, dtype=torch.float64)[None, :]
    return torch.hypot(down, across)


def _whitened(image: Tensor, amount: float) -> Tensor:
    import torch

    mean = image.mean((1, 2), keepdim=True)
    deviation = image.std((1, 2), correction=0, keepdim=True)
    spectrum = torch.fft.fft2(image - mean)
    rings = (_radius(*image.shape[1:]) * max(image.shape[1:])).round().long().flatten()
    sums = torch.zeros(len(image), int(rings.max()) + 1, dtype=torch.float64)
    sums.index_add_(1, rings, spectrum.abs().square().flatten(1))
    level = (sums / torch.bincount(rings).clamp(min=1))[:, rings].reshape(image.shape)
    flat = torch.where(level > 0, spectrum / level ** (amount / 2), spectrum)
    white = torch.fft.ifft2(flat).real
    now = white.std((1, 2), correction=0, keepdim=True)
    return mean + torch.where(now > 0, white / now * deviation, white)


def _slerp(one: Tensor, other: Tensor, fraction: float) -> Tensor:
    import torch

    norms = one.norm() * other.norm()
    angle = torch.acos(((one * other).sum() / norms.clamp(min=1e-300)).clamp(-1, 1))
    if angle.sin() == 0:
        return one
    return (((1 - fraction) * angle).sin() * one + (fraction * angle).sin() * other) / angle.sin()


def _blur_matrix(size: int, sigma: float) -> Tensor:
    """The blur along one axis as a matrix [size, size], float64.

    Row i holds the kernel around i, with what falls outside folded back (d c b a | a b c d |
    d c b a), as often as a kernel wider than the image needs.
    """
    import torch

    radius = int(_TRUNCATE * sigma + 0.5)
    if radius == 0:
        return torch.eye(size, dtype=torch.float64)
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-0.5 * (offsets.double() / sigma) ** 2)
    centres = torch.arange(size)[:, None]
    unfolded = (centres + offsets) % (2 * size)
    columns = torch.minimum(unfolded, 2 * size - 1 - unfolded)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    return matrix.scatter_add_(1, columns, (kernel / kernel.sum()).expand(size, -1))


def _rotation_grid(height: int, width: int, degrees: float) -> Tensor:
    """Where each pixel of the rotated image comes from: [1, H, W, 2] in [-1, 1], float32.

    The order of the arithmetic is torchvision's, so that ties between two nearest pixels fall
    the same way.
    """
    import torch

    cos, sin = math.cos(math.radians(-degrees)), math.sin(math.radians(-degrees))
    x = torch.arange(width) - (width - 1) / 2
    y = torch.arange(height) - (height - 1) / 2
    pixels = torch.stack([*torch.meshgrid(x, y, indexing="xy"), torch.ones(height, width)], dim=-1)
    half_size = torch.tensor([width / 2, height / 2])
    inverse = torch.tensor([[cos, sin, 0.0], [-sin, cos, 0.0]]).T / half_size
    return (pixels.reshape(1, -1, 3) @ inverse).reshape(1, height, width, 2)
