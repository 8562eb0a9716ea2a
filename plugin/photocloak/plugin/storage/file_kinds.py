"""What the name of a file or folder says: whether it is taken, and if not, what it is.

One rule for `photocloak cloak FOLDER` and the daemon. A photo's name is passed over only where a
program is known to give that very form of name to something else: `#1 birthday.jpg` and
`wedding.part.2.jpg` are photos.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable
from enum import StrEnum

from photocloak import exporters

SYSTEM_FOLDERS = frozenset(
    {"@eadir", "@tmp", "#recycle", "#snapshot", "@recycle", "@recently-snapshot"}  # network disks
    | {"$recycle.bin", "system volume information", "$extend", "lost+found"}
    | {"network trash folder", "temporary items", "thevolumesettingsfolder", "__macosx"}
    | {".thumbnails", ".dtrash", ".stversions", ".stfolder", ".sync", "_gsdata_", "~snapshot"}
)
"""In lower case: bins, snapshots, previews and the books that systems and sync clients keep."""

TRASH = ".trash"
"""How the names of bins begin (.Trash-1000, .Trashes), in lower case."""

PARTIAL_ENDINGS = (
    ".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload", ".fdmdownload",
    ".aria2", ".!ut", ".!qb", ".!sync", ".bc!", ".bts", ".xltd", ".dtapart", ".ffs_tmp", ".tmp",
    ".temp", ".swp", "~", ".owncloudsync", ".nextcloudsync", ".syncthing", "_exiftool_tmp",
)  # fmt: skip
"""Of names that browsers, editors, download managers and sync clients give unfinished files."""

UNFINISHED_PHOTO = re.compile(r"\.digikamtempfile\.[^.]+$", re.IGNORECASE)
"""digiKam puts these beside the photo it is about to write, with a photo's own ending."""


CONFLICT = re.compile(
    r"\.sync-conflict-\d{8}-\d{6}(-[0-9a-z]{7})?\.[^.]+$"  # Syncthing
    r"|\((.* )?conflicted copy .*\d\)\.[^.]+$"  # Nextcloud, ownCloud, Dropbox
    r"|_conflict-\d{8}-\d{6}\.[^.]+$"  # ownCloud before 2.5
    r"|\(sfconflict .*\d\)\.[^.]+$",  # Seafile
    re.IGNORECASE,
)
"""Of the version of a photo that lost: its owner has put another one in its place."""


class Kind(StrEnum):
    """What is passed over, in the singular; see `counted`."""

    VIDEO = "video"
    RAW = "RAW"
    PICTURE = "picture of another kind"
    AUDIO = "sound"
    TEXT = "text"
    DOCUMENT = "document"
    ARCHIVE = "archive"
    SIDECAR = "sidecar"
    PARTIAL = "partial download"
    CONFLICT = "conflict copy"
    HIDDEN = "hidden name"
    SYSTEM = "system folder"
    LINK = "link to a folder"
    BROKEN = "broken link"
    SPECIAL = "device or pipe"
    EXCLUDED = "excluded"
    UNREADABLE = "folder that cannot be read"
    OTHER = "other file"


_PLURALS = {
    Kind.RAW: "RAW",
    Kind.CONFLICT: "conflict copies",
    Kind.EXCLUDED: "excluded",
    Kind.PICTURE: "pictures of another kind",
    Kind.LINK: "links to folders",
    Kind.SPECIAL: "devices or pipes",
    Kind.UNREADABLE: "folders that cannot be read",
}

_ENDINGS = {
    Kind.VIDEO: "3g2 3gp asf avi divx f4v flv insv lrv m2t m2ts m2v m4v mkv mod mov mp4 mpe mpeg "
    "mpg mts mxf ogv qt rm rmvb ts vob webm wmv 360",
    Kind.PICTURE: "ai avci bmp cdr cur dds dib emf eps exr gif hdr ico icns insp j2k jls jp2 jpf "
    "jpm jpx jxl jxr kra pam pbm pcx pfm pgm pict pnm ppm psb psd qoi ras sgi svg svgz tga "
    "wbmp wdp wmf xbm xcf xpm",
    Kind.AUDIO: "aac ac3 aif aiff amr ape au caf flac m4a m4b mid midi mka mp2 mp3 oga ogg opus "
    "wav wma",
    Kind.TEXT: "asc csv htm html json log md nfo rst rtf srt tex text toml tsv txt vtt xhtml xml "
    "yaml yml",
    Kind.DOCUMENT: "azw doc docm docx epub key mobi numbers odg odp ods odt pages pdf ppt pptx ps "
    "xls xlsm xlsx",
    Kind.ARCHIVE: "7z bz2 cab deb dmg gz img iso jar lz lz4 rar rpm tar tbz tgz txz xz zip zst",
    Kind.SIDECAR: "aae arp cos dop nksc on1 pp3 thm vrd xmp",
}
_KINDS = {f".{ending}": kind for kind, some in _ENDINGS.items() for ending in some.split()}


def counted(kind: Kind, count: int) -> str:
    """Say how many there are: "1 video", "3 videos", "2 RAW"."""
    return f"{count} {kind if count == 1 else _PLURALS.get(kind, f'{kind}s')}"


def kind_of_folder(name: str) -> Kind | None:
    """Say why a folder of this name is not looked into; None: it is."""
    low = name.lower()
    if low in SYSTEM_FOLDERS or low.startswith(TRASH):
        return Kind.SYSTEM
    if low.startswith("."):
        return Kind.HIDDEN
    return Kind.PARTIAL if low.endswith(".download") else None  # Safari's, with the file in it


def kind_of_file(name: str, suffixes: Collection[str]) -> Kind | None:
    """Say what a file of this name is, if not a photo to take; None: it is one.

    Args:
        name: without folders.
        suffixes: of photos, lower case with the dot.

    """
    low = name.lower()
    ending = os.path.splitext(low)[1]  # noqa: PTH122 (a Path a file is slow)
    if low.startswith("."):
        return Kind.HIDDEN
    if ending in suffixes:
        if CONFLICT.search(low):
            return Kind.CONFLICT
        return Kind.PARTIAL if UNFINISHED_PHOTO.search(low) else None
    if low.endswith(PARTIAL_ENDINGS):
        return Kind.PARTIAL
    if ending in exporters.RAW_SUFFIXES:
        return Kind.RAW
    return _KINDS.get(ending, Kind.OTHER)


def downloads(names: Iterable[str]) -> frozenset[str]:
    """Return those that only a download that goes on has; see `is_reserved`."""
    return frozenset(name for name in names if name.endswith((".aria2", ".part", ".crdownload")))


def is_reserved(name: str, downloads: Collection[str], *, empty: Callable[[], bool]) -> bool:
    """Tell whether a file with a photo's name belongs to a download that goes on.

    Args:
        name: of the file.
        downloads: those of the names beside it.
        empty: tells whether the file is.

    """
    if f"{name}.aria2" in downloads:  # aria2 writes into the file and keeps its books beside
        return True
    # Browsers hold the name with an empty file: photo.jpg and photo.jpg.part or photo.Ab3x.jpg.part
    stem, ending = os.path.splitext(name)  # noqa: PTH122 (a Path a file is slow)
    ends = f"{ending}.part", f"{ending}.crdownload"
    goes_on = any(one.startswith(f"{stem}.") and one.endswith(ends) for one in downloads)
    return goes_on and empty()
