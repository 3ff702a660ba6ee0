"""A contact sheet is written as a PNG that carries its session, and the session is read back."""

import io
import warnings
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from ddib.data.files import check_regular
from ddib.errors import InputError
from workbench.support.files import atomic_write

SESSION_KEY = "ddib-workbench session"


def save_sheet(image: Image.Image, path: Path, session_yaml: str) -> None:
    """Write the sheet as a PNG that carries its session; raises OSError."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt(SESSION_KEY, session_yaml)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    atomic_write(path, buffer.getvalue())


def read_session_from_sheet(path: Path) -> str:
    """The session's YAML inside a contact sheet; raises InputError."""
    check_regular(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path, formats=("PNG",))
        with image:
            assert isinstance(image, PngImagePlugin.PngImageFile)
            # Ours stands before the pixels; only a rewritten file needs decoding to find it.
            session = image.info.get(SESSION_KEY) or image.text.get(SESSION_KEY)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise InputError(f"{path}: not a PNG, and a contact sheet is one") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        raise InputError(f"{path}: more than {limit} million pixels, no sheet of ours") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not session:
        raise InputError(
            f"{path}: this PNG carries no session; "
            "only the sheet.png of a run does, and only while no program has re-saved it"
        )
    return str(session)
