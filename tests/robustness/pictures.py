"""Mutated pictures are read or refused: python tests/robustness/pictures.py --count 1000.

Each is a picture of any format and mode with its bytes changed, or a file that is none. A session
that names it is checked with `replay --dry-run`, which does its work or refuses with exit code 2.
Every `--screen` pictures lie in one folder, whose thumbnails the screen's library shows; it goes
through all of them and leaves with exit code 0.
"""

import argparse
import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import NoReturn

from PIL import Image, features

from support.harness import COUNTS, Case, Check, Fault, read_options, run_cases
from support.mutations import mutate_bytes
from support.programs import Program, faults_of
from support.screen import Screen

MODES = {
    ".png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I"),
    ".jpg": ("L", "RGB", "CMYK"),
    ".jpeg": ("RGB",),
    ".jfif": ("RGB",),
    ".bmp": ("1", "L", "P", "RGB", "RGBA"),
    ".gif": ("L", "P", "RGB"),
    ".tif": ("1", "L", "RGB", "RGBA", "I;16", "F", "CMYK", "LAB"),
    ".webp": ("RGB", "RGBA"),
}
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".jfif": "JPEG", ".tif": "TIFF"}
NAMES = (
    "\x1b[31mred",
    "a\nb",
    "[red]x",
    ":100:",
    "x" * 240,
    "-x",
    "~",
    "é",
    "\udcff",
    "*",
    "a?b",
)
SESSION = """\
version: 1
source: {checkpoint: cmnist-fives, images: [{path: "%s"}]}
target: {checkpoint: cmnist-sevens}
solver: {steps: 2}
"""


def main() -> NoReturn:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--screen", type=int, default=50, metavar="N", help="pictures in a folder (%(default)s)"
    )
    options, given = read_options(__doc__, 1000, parser)
    run_cases(options, prepare(Program(options.keep / ".home"), given.screen))


def prepare(program: Program, screen: int = 16) -> Check:
    """What checks a case; one in `screen` also shows so many on the screen, none for 0."""
    good = program.home / "good.png"
    Image.new("RGB", (8, 8)).save(good)
    session = program.home / "good.yaml"
    session.write_text(SESSION % good)
    program.warm(["replay", str(session), "--dry-run"])

    def check(case: Case) -> Iterator[Fault]:
        path = picture(case.random, case.folder)
        session = case.folder / "session.yaml"
        session.write_text(SESSION % "*[!l]")  # whatever it is called, but not this file
        ended = program.run("replay", str(session), "--dry-run", folder=case.folder)
        COUNTS[f"{path.suffix}: {ended.code}"] += 1
        yield from faults_of(ended)
        if screen and case.number % screen == 0:
            yield from check_screen(program, case, screen)

    return check


def check_screen(program: Program, case: Case, count: int) -> Iterator[Fault]:
    """The screen with a folder of the pictures of this case and of those that follow."""
    folder = case.folder / "folder"
    folder.mkdir()
    for _ in range(count):
        picture(case.random, folder)
    Image.new("RGB", (8, 8)).save(folder / "good.png")
    session = case.folder / "screen.yaml"
    session.write_text(SESSION % "folder/good.png")
    COUNTS["folders on the screen"] += 1
    COUNTS["pictures on the screen"] += count
    with Screen(program, str(session), folder=case.folder) as screen:
        try:
            screen.until("Recipe")
            screen.press("2")  # the pane of images
            for key in ("\x1b[B" * count, "\x1b[H", "\x1b[F"):
                screen.press(key)
                screen.quiet(20)
            yield from screen.leave()
        except TimeoutError as error:
            yield Fault("the screen does not answer", str(error))


def picture(rng: random.Random, folder: Path) -> Path:
    """A mutated picture in a folder."""
    suffix = rng.choice(list(MODES))
    stem = rng.choice(NAMES) if rng.random() < 0.1 else f"picture-{rng.randrange(10**6)}"
    path = folder / f"{stem}{suffix}"
    if not os.path.lexists(path):
        rng.choice(MAKERS)(rng, path)
    return path


def good_bytes(rng: random.Random, suffix: str) -> bytes:
    """A picture of a format, in one of its modes, of one or several frames."""
    mode = rng.choice(MODES[suffix])
    size = rng.choice(((1, 1), (8, 8), (32, 32), (64, 48), (1, 500), (500, 1)))
    noise = Image.frombytes("RGB", size, rng.randbytes(size[0] * size[1] * 3))
    image = noise.convert("L").convert(mode) if mode in ("I;16", "I", "F", "LA") else noise
    if mode == "LAB":
        image = Image.frombytes("LAB", size, noise.tobytes())
    elif image.mode != mode:
        image = noise.convert(mode)
    buffer = BytesIO()
    kind = FORMATS.get(suffix, suffix[1:].upper())
    if kind == "WEBP" and not features.check("webp"):
        kind = "PNG"
    more: dict[str, object] = {}
    if kind in ("GIF", "TIFF", "WEBP", "PNG") and rng.random() < 0.2:
        more = {"save_all": True, "append_images": [image] * rng.choice((1, 30))}
    if kind in ("JPEG", "PNG", "TIFF", "WEBP") and rng.random() < 0.3:
        more |= {"icc_profile": rng.randbytes(rng.choice((10, 3000)))}
    if kind in ("JPEG", "PNG", "WEBP") and rng.random() < 0.3:
        turned = Image.new("L", (1, 1)).getexif()
        turned[0x0112] = rng.choice((1, 3, 6, 8, 9, 65535))
        more |= {"exif": turned.tobytes()}
    image.save(buffer, kind, **more)
    return buffer.getvalue()


# ---- what is wrong with it


def unchanged(rng: random.Random, path: Path) -> None:
    path.write_bytes(good_bytes(rng, path.suffix))


def changed(rng: random.Random, path: Path) -> None:
    path.write_bytes(mutate_bytes(rng, good_bytes(rng, path.suffix)))


def cut(rng: random.Random, path: Path) -> None:
    data = good_bytes(rng, path.suffix)
    path.write_bytes(data[: rng.randrange(len(data))])


def misnamed(rng: random.Random, path: Path) -> None:
    path.write_bytes(good_bytes(rng, rng.choice(list(MODES))))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_any_size(rng: random.Random, path: Path) -> None:
    """A PNG whose header says another size than its data has, up to bombs of one colour."""
    sizes = (0, 1, 8, 1000, 20_000, 99_000_000, 2**31 - 1, 2**32 - 1)
    width, height = rng.choice(sizes), rng.choice(sizes)
    depth, kind = rng.choice((1, 2, 4, 8, 16, 3)), rng.choice((0, 2, 3, 4, 6, 1))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, rng.choice((0, 0, 1, 7)))
    data = zlib.compress(b"\0" * rng.choice((0, 100, 30_000_000)), 9)
    more = rng.choice(
        (
            b"",
            chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 50_000_000)),
            chunk(b"iCCP", b"a\0\0" + zlib.compress(b"x" * 50_000_000)),
            chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"x" * 50_000_000)),
            chunk(b"acTL", b"\xff" * 8),
            chunk(b"eXIf", rng.randbytes(40)),
            chunk(b"PLTE", b"\0" * 7),
        )
    )
    end = chunk(b"IEND", b"") if rng.random() < 0.8 else b""
    signature = b"\x89PNG\r\n\x1a\n"
    path.write_bytes(signature + chunk(b"IHDR", header) + more + chunk(b"IDAT", data) + end)


def long_strip(rng: random.Random, path: Path) -> None:
    """Few bytes, and a bearable number of pixels in one line that is none in two."""
    size = rng.choice(((99_000_000, 1), (1, 99_000_000), (9_900_000, 10), (60_000, 1_600)))
    header = struct.pack(">IIBBBBB", *size, 1, 0, 0, 0, 0)
    row = b"\0" * (1 + (size[0] + 7) // 8)
    packer = zlib.compressobj(1)
    parts = [packer.compress(row) for _ in range(min(size[1], 20_000))]
    data = b"".join((*parts, packer.flush()))
    signature = b"\x89PNG\r\n\x1a\n"
    path.write_bytes(
        signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def many_frames(rng: random.Random, path: Path) -> None:
    frames = [Image.new("P", (4, 4), n % 256) for n in range(rng.choice((300, 3000)))]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])


def no_picture(rng: random.Random, path: Path) -> None:
    kinds = (
        "", "\n", "<!DOCTYPE html><title>404 \x1b[31m</title>", "%PDF-1.4\n", "8BPS\0\1", "BM",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "PK\x03\x04",
        "%!PS-Adobe-3.0 EPSF-3.0\n", "P6 99999 99999 255\n", "GIF89a", "\xff\xd8\xff", "II*\0",
        "RIFF\xff\xff\xff\xffWEBPVP8 ", "<svg xmlns='http://www.w3.org/2000/svg'/>", "\0" * 1000,
    )  # fmt: skip
    path.write_bytes(rng.choice(kinds).encode("latin-1"))


def no_file(rng: random.Random, path: Path) -> None:
    match rng.randrange(6):
        case 0 | 1:
            os.mkfifo(path)
        case 2:
            path.mkdir()
        case 3:
            path.symlink_to(path.name)
        case 4:
            path.symlink_to("nowhere.png")
        case 5:
            path.symlink_to(rng.choice(("/dev/zero", "/dev/null", "/dev/tty")))


MAKERS: tuple[Callable[[random.Random, Path], None], ...] = (
    changed, changed, changed, changed, changed, cut, cut, unchanged, misnamed, png_of_any_size,
    png_of_any_size, long_strip, many_frames, no_picture, no_file,
)  # fmt: skip


if __name__ == "__main__":
    main()
