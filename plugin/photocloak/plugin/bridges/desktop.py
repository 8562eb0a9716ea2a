"""The desktop: actions in the context menus of six file managers, and entries to choose from.

None of it opens pictures. GNOME, Xfce, MATE, Cinnamon and LXQt open a picture with an entry of the
user's `applications` that names its MIME type, where nothing else was chosen, since the user's
entries come before the system's. So these entries name none, and are found by whoever looks for
another program ("Open With > Other"). What knows types are the actions of the file managers, with
which nothing is opened.
"""

import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import platformdirs

from photocloak.core import ConfigError
from photocloak.plugin.bridges.base import Bridge, File, Part, program, shipped
from photocloak.plugin.bridges.menus import (
    MAIN,
    MIME_TYPES,
    PRESETS,
    PRESETS_GERMAN,
    PUBLISH,
    REVIEW,
    WORK,
    Entry,
    in_exec,
    in_key_file,
    in_shell_line,
    preset_entries,
)
from photocloak.plugin.storage.folders import Folders

FILE_MANAGERS = ("nautilus", "caja", "nemo", "thunar", "dolphin", "pcmanfm-qt")


class Desktop(Bridge):
    """The entries, and what each file manager reads."""

    name = "desktop"
    title = "the desktop: menus of Nautilus, Nemo, Caja, Dolphin, Thunar and PCManFM-Qt"

    def files(self) -> Mapping[Path, Part]:
        """Return the entries, and the menus of the file managers that are here."""
        files = dict(desktop_entries())
        presets = preset_entries(Folders.of_user())
        for name in _here():
            files |= _menus(name, presets)
        return files

    def probe(self) -> str:
        """Say which file managers have it, and whether results can be shown."""
        if shutil.which("notify-send") is None:
            raise ConfigError(
                "the menus are in place, but there is no `notify-send` to tell what came of a "
                "photo; install it (Debian, Ubuntu: sudo apt install libnotify-bin)."
            )
        return f"in the menus of {', '.join(_here()) or 'no file manager that is installed'}"

    def advice(self, *, installed: bool) -> str:
        """Say where to find it."""
        if not installed:
            return ""
        return (
            f"Right-click photos: {PUBLISH.name}; in Nautilus and Caja below Scripts, in Thunar "
            "below Send To.\nThat leaves place, names and serial numbers out; "
            f"{WORK.name!r} does not. {REVIEW.name!r} shows them before they are published.\n"
            "Results go to the folder `cloaked` beside the photo. See docs/howto/desktop.md."
        )

    def refresh(self) -> None:
        """Have the entries' types of earlier versions forgotten."""
        forget_types()


def _here() -> list[str]:
    return [name for name in FILE_MANAGERS if shutil.which(name)]


def _menus(name: str, presets: Sequence[Entry]) -> Mapping[Path, Part]:
    """Return what a file manager reads."""
    data = platformdirs.user_data_path()
    match name:
        case "nautilus":
            return _scripts(data / "nautilus" / "scripts", presets)
        case "caja":
            return _scripts(platformdirs.user_config_path("caja") / "scripts", presets)
        case "nemo":
            return _nemo(data / "nemo" / "actions")
        case "thunar":
            return _send_to(data / "Thunar" / "sendto")
        case "dolphin":
            return _dolphin(data / "kio" / "servicemenus", presets)
        case _:
            return _file_manager_actions(data / "file-manager" / "actions", presets)


def desktop_entries() -> Mapping[Path, Part]:
    """Return the entries that every desktop, and digiKam, has among the other programs."""
    place = platformdirs.user_data_path("applications")
    return {place / f"photocloak-{one.suffix}.desktop": _application(one) for one in MAIN}


def forget_types() -> None:
    """Have the user's cache of MIME types made anew where it still names photocloak.

    Entries of earlier versions had types, which made them open pictures on some desktops.
    """
    place = platformdirs.user_data_path("applications")
    cache, tool = place / "mimeinfo.cache", shutil.which("update-desktop-database")
    with suppress(OSError):
        if tool is not None and b"photocloak" in cache.read_bytes():
            subprocess.run([tool, place], check=False, capture_output=True)
            if b"=" not in cache.read_bytes():
                cache.unlink()  # it was made for our entries alone


def _application(entry: Entry, *, types: bool = False) -> File:
    """Return a desktop entry; with MIME types only where nothing is opened by them."""
    command = program()
    text = _fill("photocloak.desktop", entry, in_key_file(in_exec(command, entry.words)))
    text = text.replace("@TRYEXEC@", in_key_file(str(command)))
    return File(f"{text}MimeType={_MIME_TYPES}\n".encode() if types else text.encode())


def _scripts(place: Path, presets: Iterable[Entry]) -> Mapping[Path, Part]:
    """Return executables; a folder of them is a menu."""
    places = {place / one.name: one for one in MAIN}
    places |= {place / PRESETS / one.name: one for one in presets}
    return {
        path: File(
            _fill("script.sh", one, shlex.join([str(program()), *one.words])).encode(),
            executable=True,
        )
        for path, one in places.items()
    }


def _nemo(place: Path) -> Mapping[Path, Part]:
    return {
        place / f"photocloak-{one.suffix}.nemo_action": File(
            _fill("photocloak.nemo_action", one, _shell_line(one)).encode()
        )
        for one in MAIN
    }


def _send_to(place: Path) -> Mapping[Path, Part]:
    """Return what Thunar has below "Send To"; its custom actions are one file of the user's."""
    return {
        place / f"photocloak-{one.suffix}.desktop": _application(one, types=True) for one in MAIN
    }


def _dolphin(place: Path, presets: Sequence[Entry]) -> Mapping[Path, Part]:
    """Return service menus: two files, since each is one menu; KDE runs only executable ones."""
    menus = {
        "photocloak.desktop": ("X-KDE-Priority=TopLevel", MAIN),
        "photocloak-presets.desktop": (f"X-KDE-Submenu={PRESETS}", presets),
    }
    files = {}
    for name, (where, entries) in menus.items():
        text = _fill("photocloak-dolphin.desktop", PUBLISH, _exec(PUBLISH))
        text += f"{where}\nActions={''.join(f'{one.suffix};' for one in entries)}\n"
        if entries is presets:
            text += f"X-KDE-Submenu[de]={PRESETS_GERMAN}\n"
        text += "".join(
            _fill("dolphin-action.desktop", one, _exec(one)).replace("@SUFFIX@", one.suffix)
            for one in entries
        )
        files[place / name] = File(text.encode(), executable=True)
    return files


def _file_manager_actions(place: Path, presets: Sequence[Entry]) -> Mapping[Path, Part]:
    """Return actions by the specification DES-EMA, which PCManFM-Qt reads."""
    found = {
        f"photocloak-{one.suffix}": _fill("action.desktop", one, _shell_line(one))
        for one in (*MAIN, *presets)
    }
    menu = Entry("presets", PRESETS, PRESETS_GERMAN, ())
    items = "".join(f"photocloak-{one.suffix};" for one in presets)
    found["photocloak-presets"] = _fill("menu.desktop", menu, "").replace("@ITEMS@", items)
    return {place / f"{name}.desktop": File(text.encode()) for name, text in found.items()}


def _exec(entry: Entry) -> str:
    return in_key_file(in_exec(program(), entry.words))


def _shell_line(entry: Entry) -> str:
    return in_key_file(in_shell_line(program(), entry.words))


_MIME_TYPES = "".join(f"{one};" for one in MIME_TYPES)


def _fill(name: str, entry: Entry, command: str) -> str:
    words = {
        "@MIMETYPES@": _MIME_TYPES,
        "@NAME@": entry.name,
        "@NAME_DE@": entry.german,
        "@COMMENT@": entry.comment,
        "@COMMENT_DE@": entry.comment_german,
        "@COMMAND@": command,
    }
    text = shipped("desktop", name)
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
