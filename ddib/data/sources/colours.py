"""The colours of a picture are a source of images: one picture, whose pixels are a cloud in RGB."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from PIL import Image
from pydantic import Field

from ddib.data.file_names import escape_name, unescape_name
from ddib.data.files import check_regular
from ddib.data.pictures import Reading, read_picture
from ddib.data.pixels import rounded
from ddib.data.source import Images, ImageSource, TrainingRequest, check_reader
from ddib.errors import InputError
from ddib.paths import PathText, user_path

if TYPE_CHECKING:
    from ddib.data.training import Colours as ColourData


class Colours(ImageSource):
    """The colours of one picture, resized and centre-cropped: a cloud of points in RGB."""

    name: ClassVar[str] = "colours"
    path_key: ClassVar[str | None] = "path"
    training_keys: ClassVar[frozenset[str]] = frozenset({"root", "size"})
    pointwise: ClassVar[bool] = True

    dataset: Literal["colours"] = "colours"
    path: PathText = Field(description="the picture's file")

    @classmethod
    def default_entry(cls, labels: Sequence[int] = ()) -> Self:
        """See `ImageSource`."""
        return cls(path="picture.png")

    @classmethod
    def domain_entry(cls, data: Mapping[str, Any], labels: Sequence[int]) -> Self | None:
        """None: a checkpoint's header does not hold the path of its picture."""
        return None

    @classmethod
    def training_data(cls, request: TrainingRequest) -> "ColourData":
        """The colours of the picture that is named as root."""
        from ddib.data.training import Colours as ColourData

        if request.root is None:
            raise InputError("--dataset colours takes a picture as --root")
        picture = request.root
        facts = {"dataset": "colours", "picture": picture.name, "size": request.size}
        pixels = read_picture(picture, request.size, 3, Reading()).pixels.copy()
        return ColourData(rounded(pixels), f"colours of {picture.stem}", facts)

    @classmethod
    def examples(cls, folder: Path) -> Sequence[Self]:
        """See `ImageSource`."""
        Image.new("RGB", (40, 32), "orange").save(folder / "picture.png")
        return [cls(path=str(folder / "picture.png"))]

    def find(self, base: Path) -> "AvailablePicture":
        """The picture; raises InputError when there is no such file."""
        path = user_path(unescape_name(self.path), base)
        return AvailablePicture(path, Reading(deep=self._version > 1))


class AvailablePicture:
    """One picture."""

    def __init__(self, path: Path, reading: Reading) -> None:
        check_regular(path)
        if not path.is_file():
            raise InputError(f"{path}: no such image")
        self.path = path
        self._reading = reading
        self.names: Sequence[str] = [escape_name(path.name)]

    def taken(self, spec: Colours) -> Sequence[int]:
        """See `Available`."""
        return range(1)

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        """See `Available`."""
        check_reader(Colours, "colours", channels)
        picture = read_picture(self.path, size, channels, self._reading)
        names, files = (escape_name(self.path.stem),), (self.path,)
        return Images(picture.pixels[None], names, (None,), files, picture.notes)
