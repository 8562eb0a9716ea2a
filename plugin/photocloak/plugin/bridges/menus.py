"""What stands in the desktop's menus, and how each of their formats quotes a command.

Every menu has the same entries: to publish, without place and names, which comes first; to work on,
with all but the faces kept; one for each preset, where a menu can have a menu below it; and the
review page.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.plugin.settings import PRESET_TO_PUBLISH, Settings
from photocloak.plugin.storage.folders import Folders

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
        name: what it is called; Nautilus and Caja show a script by the name of its file.
        german: likewise.
        words: what photocloak is given before the photos.
        comment: what it does, in a sentence.
        comment_german: likewise.

    """

    suffix: str
    name: str
    german: str
    words: tuple[str, ...]
    comment: str = "Write copies of photos whose faces teach recognisers the wrong person"
    comment_german: str = "Kopien von Fotos schreiben, deren Gesichter Erkenner das Falsche lehren"


# By name too, as Nautilus, Caja, Thunar and PCManFM-Qt sort, publishing comes before working on.
PUBLISH = Entry(
    "publish", "Cloak Faces to Publish", "Gesichter verhüllen, zum Veröffentlichen", ("beside",)
)
WORK = Entry(
    "work",
    "Cloak Faces to Work On, Keep the Rest",
    "Gesichter verhüllen, zum Weiterbearbeiten",
    ("beside", "--preset", Settings().preset),
)
REVIEW = Entry(
    "review",
    "Review Cloaked Faces…",
    "Verhüllte Gesichter ansehen…",
    ("review",),
    "Look at cloaked photos, correct what is wrong, and publish them",
    "Verhüllte Fotos ansehen, berichtigen und veröffentlichen",
)
MAIN = (PUBLISH, WORK, REVIEW)

PRESETS, PRESETS_GERMAN = "Cloak Faces with Preset", "Gesichter verhüllen mit Vorgabe"
"""The name of the menu with an entry for each preset."""


def preset_entries(folders: Folders) -> tuple[Entry, ...]:
    """Return an entry for each preset, shipped or the user's own: `web` first, `keep` last."""
    last = Settings().preset
    names = exporters.policy_names(folders.config / "presets")
    names = tuple(sorted(names, key=lambda one: (one != PRESET_TO_PUBLISH, one == last)))
    return tuple(
        Entry(f"preset-{one}", one, one, ("beside", "--preset", one))
        for one in names
        if re.fullmatch(r"\w[\w-]*", one)  # others no menu's format has to be able to quote
    )


def in_exec(command: Path, words: Sequence[str]) -> str:
    """Quote for `Exec=` (Desktop Entry Specification, "The Exec key")."""
    if "%" in str(command):  # GLib looks for a program of that name before it undoes %%
        raise ConfigError(
            f"{command}: desktops cannot start a program with % in its path; move it."
        )
    quoted = '"' + "".join("\\" + c if c in '"`$\\' else c for c in str(command)) + '"'
    return " ".join((quoted, *words))


def in_shell_line(command: Path, words: Sequence[str]) -> str:
    """Quote for menus that replace % and let GLib take the line apart as a shell would."""
    return shlex.join([str(command), *words]).replace("%", "%%")


def in_key_file(value: str) -> str:
    """Escape a value as key files have it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
