"""Reading a photo: what it is, by its bytes; what cannot be read, refused with a remedy."""

import re
import stat
import warnings
from dataclasses import replace
from pathlib import Path

from PIL import Image as Pillow

from photocloak.core import InputError, UnreadError
from photocloak.exporters.formats import FORMATS, format_of
from photocloak.exporters.formats.base import MAX_BYTES, MAX_PIXELS, Format, damaged
from photocloak.exporters.formats.kinds import KINDS
from photocloak.exporters.model import Photo
from photocloak.exporters.sample_delta import upright_srgb

RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef"}
    | {".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2"}
    | {".srf", ".srw", ".x3f"}
)
"""Of RAW files, lower case with dot: some are TIFF inside, so that the name alone tells them."""

_RAW_HEADS = re.compile(
    rb"FUJIFILMCCD-RAW|IIRO|IIRS|IIU\0|MMOR|FOVb|\0MRM|.{4}ftypcrx |II\x1a\0\0\0HEAPCCDR"
    rb"|(?:II\*\0|MM\0\*).{4}CR",
    re.DOTALL,
)
_FILM_HEADS = re.compile(
    rb".{4}ftyp(?!hei|hev|mif1|msf1|avi[fs])|RIFF.{4}AVI |\x1aE\xdf\xa3|\0\0\x01\xba|FLV", re.DOTALL
)
_OTHERS = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"8BPS": "a Photoshop document",
    b"\xff\x0a": "a JPEG XL",
    b"\0\0\0\x0cJXL ": "a JPEG XL",
    b"\0\0\0\x0cjP  ": "a JPEG 2000",
    b"%PDF": "a PDF",
}

_HEIC_DENSITY = 16
"""Pixels that a byte of a HEIC photo stands for, where it is compressed much: 24 MP in 1.5 MB."""


def read(path: Path) -> Photo:
    """Read a photo.

    Raises:
        UnreadError: it is not there, or the file system does not give it.
        InputError: it is no photo, of a kind that is not supported, damaged or huge.

    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: this is not a file; name a photo.")
        if status.st_size > MAX_BYTES:
            raise InputError(f"{path}: files above 1 GiB are not read; make a smaller copy first.")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadError(
            f"{path}: cannot be read ({error.strerror}); check the name and your permissions."
        ) from error
    return replace(read_bytes(data, str(path)), path=path)


def read_bytes(data: bytes, name: str) -> Photo:
    """Read a photo from its bytes.

    Args:
        data: the whole file.
        name: what messages call it; a RAW file's suffix tells it from a TIFF.

    Raises:
        InputError: as with `read`.

    """
    if not data:
        raise InputError(f"{name}: the file is empty; copy or export it again.")
    _refuse_raw(data, name)
    form = format_of(data)
    if form is None:
        raise InputError(f"{name}: {_what(data)}. photocloak takes {', '.join(KINDS)}.")
    return _decoded(FORMATS[form], data, name)


def announced(path: Path) -> int:
    """Return how many pixels a photo's header announces; nothing is decoded, and none is refused.

    What Pillow cannot open, HEIC and what is no photo, counts as the largest HEIC of its bytes.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(path) as picture:
                return min(picture.width * picture.height, MAX_PIXELS)
    except Pillow.DecompressionBombError:
        return MAX_PIXELS
    except Exception:  # whatever a parser of hostile bytes may raise
        return min(_HEIC_DENSITY * _bytes_of(path), MAX_PIXELS)


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _decoded(form: Format, data: bytes, name: str) -> Photo:
    """Decode a file; whatever a decoder of hostile bytes may raise, it is this file's fault."""
    try:
        raster = form.decode(data, name)
        return Photo(None, name, data, form.name, upright_srgb(raster), raster)
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(
            f"{name}: this photo needs more memory than there is; make a smaller copy first."
        ) from error
    except Exception as error:
        raise damaged(name, form.name, error) from error


def _refuse_raw(data: bytes, name: str) -> None:
    if _RAW_HEADS.match(data) or Path(name).suffix.lower() in RAW_SUFFIXES:
        raise InputError(
            f"{name}: this is a RAW file; develop it in your photo manager and cloak what it "
            "exports."
        )
    if _FILM_HEADS.match(data):
        raise InputError(f"{name}: this is a film; photocloak cloaks still pictures only.")


def _what(data: bytes) -> str:
    for head, title in _OTHERS.items():
        if data.startswith(head):
            return f"this is {title} file, which is not supported; export it as one that is"
    if all(byte >= 32 or byte in b"\t\r\n\f" for byte in data[:512]):
        return "this is a text, whatever its name says, not a photo"
    return "this is no photo in a format that is known; it may be damaged or misnamed"
