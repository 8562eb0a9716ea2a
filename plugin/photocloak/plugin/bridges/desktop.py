"""The desktop: "Open With" everywhere, and the context menus of Nautilus, Nemo and Dolphin.

All of them run `photocloak beside PHOTO...`, and have two entries: to publish, without place and
names, which comes first, and to keep all but the faces. Each host has a quoting of its own for the
one path that is written into its file, that of photocloak.
"""

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from photocloak.core import ConfigError
from photocloak.plugin.bridges.base import Bridge, File, Part, program, shipped

MIME_TYPES = (
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "image/heic",
    "image/heif",
    "image/avif",
)


@dataclass(frozen=True)
class Entry:
    """One line in the menus.

    Attributes:
        suffix: of the names of its files.
        name: what it is called; Nautilus shows a script by the name of its file.
        german: likewise.
        options: of `photocloak beside`.

    """

    suffix: str
    name: str
    german: str
    options: str


PUBLISH = Entry("", "Cloak Faces to Publish", "Gesichter verhüllen, zum Veröffentlichen", "")
KEEP = Entry(
    "-keep",
    "Cloak Faces, Keep the Rest",
    "Gesichter verhüllen, sonst nichts ändern",
    " --preset keep",
)
MENU_NAME = PUBLISH.name


class Desktop(Bridge):
    """The desktop entry, and one file for each file manager."""

    name = "desktop"
    title = "the desktop: Open With, Nautilus, Nemo and Dolphin"

    def files(self) -> Mapping[Path, Part]:
        """Return the entry and the menus; those of file managers that are not there do no harm."""
        data, command = platformdirs.user_data_path(), program()
        dolphin = _fill("photocloak-dolphin.desktop", in_key_file(in_exec(command)), PUBLISH)
        return {
            **desktop_entries(),
            **{
                data / place: part for one in (PUBLISH, KEEP) for place, part in _menus(one).items()
            },
            # KDE runs a service menu in the user's folder only if it is marked executable.
            data / "kio" / "servicemenus" / "photocloak.desktop": File(
                dolphin.encode(), executable=True
            ),
        }

    def probe(self) -> str:
        """Say which file managers have it, and whether results can be shown."""
        there = [name for name in ("nautilus", "nemo", "dolphin") if shutil.which(name)]
        if shutil.which("notify-send") is None:
            raise ConfigError(
                "the menus are in place, but there is no `notify-send` to tell what came of a "
                "photo; install it (Debian, Ubuntu: sudo apt install libnotify-bin)."
            )
        return f"Open With; menus of {', '.join(there) or 'no file manager that is installed'}"

    def advice(self, *, installed: bool) -> str:
        """Say where to find it."""
        if not installed:
            return ""
        return (
            f"Right-click a photo: Open With > {MENU_NAME}; in Nautilus also Scripts > {MENU_NAME}."
            f"\nThat leaves place, names and serial numbers out; {KEEP.name!r} does not."
            "\nResults go to the folder `cloaked` beside the photo. See docs/howto/desktop.md."
        )

    def refresh(self) -> None:
        """Have the MIME types of the entry noticed."""
        refresh_entries()


def desktop_entries() -> Mapping[Path, Part]:
    """Return the entries that every desktop and digiKam offers photos to."""
    command, place = program(), platformdirs.user_data_path("applications")
    found: dict[Path, Part] = {}
    for one in (PUBLISH, KEEP):
        text = _fill("photocloak.desktop", in_key_file(in_exec(command)), one)
        text = text.replace("@TRYEXEC@", in_key_file(str(command)))
        found[place / f"photocloak{one.suffix}.desktop"] = File(text.encode())
    return found


def _menus(entry: Entry) -> Mapping[Path, Part]:
    """Return what Nautilus and Nemo show, below the user's data folder."""
    command = program()
    nautilus = _fill("nautilus.sh", shlex.quote(str(command)), entry)
    nemo = _fill("photocloak.nemo_action", in_key_file(in_nemo(command)), entry)
    return {
        Path("nautilus", "scripts", entry.name): File(nautilus.encode(), executable=True),
        Path("nemo", "actions", f"photocloak{entry.suffix}.nemo_action"): File(nemo.encode()),
    }


def refresh_entries() -> None:
    """Rebuild the cache of MIME types of the user's entries, where there is the tool for it."""
    tool = shutil.which("update-desktop-database")
    place = platformdirs.user_data_path("applications")
    if tool is not None and place.is_dir():
        subprocess.run([tool, place], check=False, capture_output=True)
        if [path.name for path in place.iterdir()] == ["mimeinfo.cache"]:
            (place / "mimeinfo.cache").unlink()  # made for our entry, which has gone


def in_exec(command: Path) -> str:
    """Quote a path for `Exec=` (Desktop Entry Specification, "The Exec key")."""
    if "%" in str(command):  # GLib looks for a program of that name before it undoes %%
        raise ConfigError(
            f"{command}: desktops cannot start a program with % in its path; move it."
        )
    return '"' + "".join("\\" + c if c in '"`$\\' else c for c in str(command)) + '"'


def in_nemo(command: Path) -> str:
    """Quote a path for Nemo, which lets GLib take the line apart as a shell would."""
    return shlex.quote(str(command).replace("%", "%%"))


def in_key_file(value: str) -> str:
    """Escape a value as key files have it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def _fill(name: str, command: str, entry: Entry) -> str:
    words = {
        "@MIMETYPES@": "".join(f"{m};" for m in MIME_TYPES),
        "@NAME@": entry.name,
        "@NAME_DE@": entry.german,
        "@OPTIONS@": entry.options,
        "@PUBLISH@": PUBLISH.name,
        "@PUBLISH_DE@": PUBLISH.german,
        "@KEEP@": KEEP.name,
        "@KEEP_DE@": KEEP.german,
        "@PHOTOCLOAK@": command,
    }
    text = shipped("desktop", name)
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
