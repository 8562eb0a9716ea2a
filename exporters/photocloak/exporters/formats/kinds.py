"""By what a file's format is told: without the modules that read it, which bring decoders along."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from photocloak.exporters.containers.chunks import SIGNATURE


@dataclass(frozen=True)
class Kind:
    """How a format's files are told.

    Attributes:
        name: as in presets, such as "JPEG"; in lower case that of its module.
        suffixes: of its files, lower case with dot, the usual one first.
        sniff: tells it by its first 64 bytes.

    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes], bool]


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_avif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and (head[8:12] in (b"avif", b"avis") or b"avif" in head[16:])


def _is_heic(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS and b"avif" not in head


_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo")
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

KINDS = {
    one.name: one
    for one in (
        Kind("JPEG", _JPEG_SUFFIXES, lambda head: head.startswith(b"\xff\xd8\xff")),
        Kind("PNG", (".png", ".apng"), lambda head: head.startswith(SIGNATURE)),
        Kind("TIFF", (".tif", ".tiff"), lambda head: head[:4] in _TIFF_HEADS),
        Kind("WebP", (".webp",), _is_webp),
        Kind("AVIF", (".avif", ".avifs"), _is_avif),
        Kind("HEIC", (".heic", ".heif", ".hif", ".heics", ".heifs"), _is_heic),
    )
}
"""By name, in the order in which a file is tried."""


def suffixes(like: str | None = None) -> frozenset[str]:
    """Return the file name suffixes of all formats, lower case with dot.

    Args:
        like: only those of the format that has this one, whatever its case.

    """
    kinds = [one for one in KINDS.values() if like is None or like.lower() in one.suffixes]
    return frozenset(suffix for one in kinds for suffix in one.suffixes)


def suffix_like(name: str, suffix: str) -> str:
    """Return the suffix of what is made of the file `name`: its own, as it is written, if it fits.

    Args:
        name: of the source.
        suffix: a suffix of the format that is made.

    """
    own = PurePath(name).suffix
    return own if own.lower() in suffixes(suffix) else suffix


def format_of(head: bytes) -> str | None:
    """Return the name of the format that a file of these first 64 bytes is in; None: of none."""
    return next((one.name for one in KINDS.values() if one.sniff(head[:64])), None)


def usual_suffix(form: str) -> str:
    """Return the suffix that files of a format, by its name, mostly have."""
    return KINDS[form].suffixes[0]


def format_like(suffix: str) -> str | None:
    """Return the name of the format whose files have this suffix, whatever its case."""
    return next((one.name for one in KINDS.values() if suffix.lower() in one.suffixes), None)
