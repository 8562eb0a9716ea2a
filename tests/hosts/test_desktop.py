"""The desktop's files are valid, and start the right thing whatever a photo is called."""

import ctypes
import ctypes.util
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from photocloak import exporters
from photocloak.plugin import Folders
from photocloak.plugin.bridges import base, desktop, menus, service
from photocloak.plugin.bridges.base import File, install, uninstall
from photocloak.plugin.main import run

NAMES = [
    "plain.jpg",
    "two  words.jpg",
    "$HOME ${HOME} $(touch pwned) `touch pwned`.jpg",
    '"; touch pwned; echo ".jpg',
    "it's.jpg",
    "back\\slash\\.jpg",
    "line\nbreak.jpg",
    "-o.jpg",
    "--help",
    "%F %u %%.jpg",
    "# & | > < * ? ~.jpg",
    "Größe Łódź 😀.jpg",
]
PROGRAMS = ["photocloak", 'it\'s a "photo\\cloak" $HOME `x` #']


def need(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} is not installed")
    return found


@pytest.fixture
def album(tmp_path: Path) -> Path:
    album = tmp_path / "an album"
    album.mkdir()
    for name in NAMES:
        (album / name).write_bytes(b"the original")
    return album


@pytest.fixture(params=PROGRAMS)
def heard(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the desktop's files for a photocloak that only writes its arguments to this file.

    All file managers are there, as far as their names go.
    """
    heard, place = tmp_path / "heard", tmp_path / "bin"
    place.mkdir()
    command = place / request.param
    command.write_text(
        f"#!/bin/sh\nprintf '%s\\0' \"$@\" >'{heard}.part'\nmv '{heard}.part' '{heard}'\n"
    )
    command.chmod(0o755)
    for name in desktop.FILE_MANAGERS:
        (place / name).write_text("#!/bin/sh\n")
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setattr(desktop, "program", lambda: command)
    monkeypatch.chdir(tmp_path)
    install(desktop.Desktop(), Folders.of_user())
    return heard


def arguments(heard: Path) -> list[bytes]:
    until = time.monotonic() + 20
    while not heard.exists() and time.monotonic() < until:
        time.sleep(0.05)
    return heard.read_bytes().split(b"\0")[:-1]


def expected(photos: Sequence[Path | str]) -> list[bytes]:
    return [b"beside", b"--", *(os.fsencode(photo) for photo in photos)]


def data(*below: str) -> Path:
    return Path(os.environ["XDG_DATA_HOME"]).joinpath(*below)


def test_the_entries_are_valid(heard: Path) -> None:
    """But for PCManFM-Qt's actions, whose format is another one (DES-EMA) with the same ending."""
    tool = need("desktop-file-validate")
    entries = [one for one in data().rglob("*.desktop") if one.parent.name != "actions"]
    assert {one.parent.name for one in entries} == {"applications", "sendto", "servicemenus"}
    said = subprocess.run([tool, *entries], check=False, capture_output=True, text=True)
    assert (said.stdout, said.returncode) == ("", 0)
    menus_of_kde = list(data("kio", "servicemenus").iterdir())
    assert len(menus_of_kde) == 2 and all(os.access(one, os.X_OK) for one in menus_of_kde)


VIEWER = "[Desktop Entry]\nType=Application\nName=Viewer\nExec=true %F\nMimeType={};\n"
DESKTOPS = ["", "GNOME", "KDE", "XFCE", "MATE", "X-Cinnamon", "LXQt"]


def openers(system: Path) -> list[str]:
    """Ask, as each desktop, what opens photos."""
    asked = [(name, ["xdg-mime", "query", "default", "image/jpeg"]) for name in DESKTOPS]
    asked += [("", ["gio", "mime", kind]) for kind in menus.MIME_TYPES]
    answers = []
    for name, command in asked:
        environment = os.environ | {"XDG_DATA_DIRS": str(system), "XDG_CURRENT_DESKTOP": name}
        environment |= {"KDE_SESSION_VERSION": "6"} if name == "KDE" else {}
        said = subprocess.run(command, env=environment, capture_output=True, check=False).stdout
        answers.append(f"{name} {' '.join(command)}: {said.decode()}")
    return answers


@pytest.mark.parametrize("viewers", [0, 1])
def test_installing_changes_nothing_of_what_opens_pictures(tmp_path: Path, viewers: int) -> None:
    """With a viewer or without one, and no mimeapps.list to decide; also with a fresh cache."""
    for name in ("update-desktop-database", "xdg-mime", "gio"):
        need(name)
    system = tmp_path / "system" / "applications"
    system.mkdir(parents=True)
    if viewers:
        (system / "viewer.desktop").write_text(VIEWER.format(";".join(menus.MIME_TYPES)))
    subprocess.run(["update-desktop-database", system], check=True)
    before = openers(system.parent)
    assert sum("viewer" in one for one in before) >= 10 * viewers
    assert run(["install", "desktop"]) == run(["install", "digikam"]) == 0
    subprocess.run(["update-desktop-database", data("applications")], check=True)  # as others do
    assert openers(system.parent) == before


def test_entries_of_earlier_versions_open_pictures_no_more(heard: Path) -> None:
    """They had types, and a cache was made of them."""
    tool = need("update-desktop-database")
    place, folders = data("applications"), Folders.of_user()
    uninstall(desktop.Desktop(), folders)
    place.mkdir(parents=True, exist_ok=True)
    old = place / "photocloak.desktop"
    old.write_text(VIEWER.format("image/jpeg"))
    subprocess.run([tool, place], check=True)
    assert b"photocloak" in (place / "mimeinfo.cache").read_bytes()
    old.unlink()  # which `install` does with what it has put itself
    install(desktop.Desktop(), folders)
    assert not (place / "mimeinfo.cache").exists()
    (place / "mine.desktop").write_text(VIEWER.format("image/jpeg"))
    subprocess.run([tool, place], check=True)
    cache = (place / "mimeinfo.cache").read_bytes()
    uninstall(desktop.Desktop(), folders)
    assert (place / "mimeinfo.cache").read_bytes() == cache


@pytest.mark.parametrize("below", [("applications",), ("Thunar", "sendto")])
def test_glib_starts_photocloak_with_every_name(
    heard: Path, album: Path, below: tuple[str, ...]
) -> None:
    """Thunar, too, has GLib read its entries and start them."""
    photos = sorted(album.iterdir())
    entry = data(*below, "photocloak-publish.desktop")
    subprocess.run([need("gio"), "launch", entry, *photos], check=True, timeout=60)
    assert arguments(heard) == expected(photos)
    assert not list(album.parent.rglob("pwned"))


def test_every_kind_of_photo_that_can_be_written_is_offered() -> None:
    assert {f".{kind.rpartition('/')[2]}" for kind in menus.MIME_TYPES} <= exporters.suffixes()


def scripts(host: str) -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"], host) if host == "caja" else data(host)


@pytest.mark.parametrize("host", ["nautilus", "caja"])
@pytest.mark.parametrize("way", ["arguments", "variable"])
def test_nautilus_and_caja(heard: Path, album: Path, way: str, host: str) -> None:
    """Caja sets Nautilus's variables as well as its own (fm-directory-view.c)."""
    script = scripts(host) / "scripts" / menus.PUBLISH.name
    names = sorted(
        path.name for path in album.iterdir() if way == "arguments" or "\n" not in path.name
    )
    paths = [album / name for name in names]
    environment = os.environ | {
        "NAUTILUS_SCRIPT_SELECTED_FILE_PATHS": "".join(f"{path}\n" for path in paths)
    }
    given = names if way == "arguments" else []
    subprocess.run([script, *given], cwd=album, env=environment, check=True)
    assert arguments(heard) == expected(names if way == "arguments" else paths)
    assert not list(album.parent.rglob("pwned"))


def test_nemo(heard: Path, album: Path) -> None:
    """Nemo puts each path between double quotes, and GLib takes the line apart (nemo-action.c)."""
    lines = data("nemo", "actions", "photocloak-publish.nemo_action").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    assert values["Quote"] == "double"
    photos = sorted(album.iterdir())
    quoted = (str(path).replace("\\", "\\\\").replace('"', '\\"') for path in photos)
    # As a key file's value is read; then %F and %% are replaced, in one go.
    line = values["Exec"].replace("\\\\", "\\")
    before, after = line.split("%F")
    command = before.replace("%%", "%") + " ".join(f'"{path}"' for path in quoted) + after
    subprocess.run(glib_split(command), check=True)
    assert arguments(heard) == expected(photos)


def test_pcmanfm_qt(heard: Path, album: Path) -> None:
    """It quotes each path for a shell, and GLib takes the line apart (libfm-qt, fileaction.cpp)."""
    lines = data("file-manager", "actions", "photocloak-publish.desktop").read_text().splitlines()
    (line,) = (one.removeprefix("Exec=") for one in lines if one.startswith("Exec="))
    photos = sorted(album.iterdir())
    before, after = line.replace("\\\\", "\\").split("%F")
    command = before.replace("%%", "%") + shlex.join(map(str, photos)) + after
    subprocess.run(glib_split(command), check=True)
    assert arguments(heard) == expected(photos)


def glib_split(line: str) -> list[bytes]:
    """Take a command line apart with GLib's own g_shell_parse_argv."""
    library = ctypes.util.find_library("glib-2.0")
    if library is None:
        pytest.skip("GLib is not installed")
    count, words = ctypes.c_int(), ctypes.POINTER(ctypes.c_char_p)()
    parsed = ctypes.CDLL(library).g_shell_parse_argv(
        line.encode(), ctypes.byref(count), ctypes.byref(words), None
    )
    assert parsed
    return [words[i] or b"" for i in range(count.value)]


def test_dolphins_lines_are_those_of_the_entries(heard: Path) -> None:
    """KDE reads Exec= by the same specification that GLib has just been tested with."""

    def lines(start: str, *below: str) -> list[str]:
        return [one for one in data(*below).read_text().splitlines() if one.startswith(start)]

    menu = ("kio", "servicemenus", "photocloak.desktop")
    entries = [("applications", f"photocloak-{one.suffix}.desktop") for one in menus.MAIN]
    for start in ("Exec=", "Name=", "Name[de]="):
        own = lines(start, *menu)[-3:]  # the first ones are those of the file
        assert own == [line for entry in entries for line in lines(start, *entry)]


def collated(names: Sequence[str]) -> list[str]:
    """Sort as GLib does in most languages: letters first, case and other signs last."""
    return sorted(names, key=lambda one: ([c for c in one.casefold() if c.isalnum()], one))


def test_publishing_comes_first_in_every_menu(heard: Path, album: Path) -> None:
    cloaking = [menus.PUBLISH.name, menus.WORK.name, menus.PRESETS]
    assert cloaking == sorted(cloaking) == collated(cloaking), "as file managers sort them"
    uuids = [f"photocloak-{one.suffix}" for one in (menus.PUBLISH, menus.WORK)]
    assert uuids == sorted(uuids), "as Nemo sorts them"
    menu = data("kio", "servicemenus", "photocloak-presets.desktop").read_text()
    assert "Actions=preset-web;" in menu and ";preset-keep;\n" in menu
    items = data("file-manager", "actions", "photocloak-presets.desktop").read_text()
    assert "ItemsList=photocloak-preset-web;" in items


def test_each_entry_says_what_it_is_called(heard: Path, album: Path) -> None:
    photo = sorted(album.iterdir())[0]
    wanted = {
        data("nautilus", "scripts", menus.WORK.name): [b"beside", b"--preset", b"keep"],
        data("nautilus", "scripts", menus.REVIEW.name): [b"review"],
        data("nautilus", "scripts", menus.PRESETS, "x"): [b"beside", b"--preset", b"x"],
        data("applications", "photocloak-work.desktop"): [b"beside", b"--preset", b"keep"],
        data("applications", "photocloak-review.desktop"): [b"review"],
    }
    for path, words in wanted.items():
        start = [need("gio"), "launch"] if path.suffix == ".desktop" else []
        subprocess.run([*start, path, photo], check=True, timeout=60)
        assert arguments(heard) == [*words, b"--", os.fsencode(photo)]
        heard.unlink()


def test_presets_of_ones_own_are_offered(folders: Folders) -> None:
    (folders.config / "presets").mkdir(parents=True)
    for name in ("mine", "it's mine"):
        (folders.config / "presets" / f"{name}.toml").write_text('extends = "web"\n')
    names = [one.name for one in menus.preset_entries(folders)]
    assert names[0] == "web" and names[-1] == "keep"
    assert "mine" in names and "it's mine" not in names


def test_only_file_managers_that_are_here_get_menus(
    heard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin" / "caja").unlink()
    install(desktop.Desktop(), Folders.of_user())
    assert not scripts("caja").exists() and scripts("nautilus").exists()


def test_nothing_is_left_after_uninstalling_and_what_is_the_users_stays(heard: Path) -> None:
    mine = [
        data("nautilus", "scripts", "mine"),
        scripts("caja") / "scripts" / menus.PRESETS / "mine",
        data("file-manager", "actions", "mine.desktop"),
        data("applications", "mimeinfo.cache"),
    ]
    for path in mine:
        path.write_text("mine")
    assert not uninstall(desktop.Desktop(), Folders.of_user()).left
    home = [data(), Path(os.environ["XDG_CONFIG_HOME"])]
    left = [one for place in home for one in place.rglob("*") if not any(one.glob("*"))]
    own = data("photocloak")
    assert sorted(one for one in left if one != own) == sorted(mine), "folders are gone, too"


@pytest.mark.parametrize(
    "said",
    [
        ("", [], "web"),
        ('preset = "keep"', [], "web"),
        ('preset = "instagram"', [], "instagram"),
        ('preset = "instagram"', ["--preset", "keep"], "keep"),
    ],
)
def test_from_a_menu_is_published_without_place_and_names(
    tmp_path: Path,
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
    said: tuple[str, list[str], str],
) -> None:
    settings, options, preset = said
    folders.config.mkdir(parents=True)
    folders.settings.write_text(settings)
    heard = tmp_path / "heard"
    command = tmp_path / "photocloak"
    command.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >'{heard}'\n")
    command.chmod(0o755)
    monkeypatch.setattr(base, "program", lambda: command)
    run(["beside", *options, str(tmp_path / "a.jpg")])
    words = heard.read_text().splitlines()
    assert words[words.index("--preset") + 1] == preset


def test_the_unit_names_photocloak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "program", lambda: Path('/opt/my "photo" 100%/$x/photocloak'))
    ((path, part),) = service.Service().files().items()
    assert path == Path(os.environ["XDG_CONFIG_HOME"], "systemd", "user", "photocloak.service")
    assert isinstance(part, File)
    text = part.content.decode()
    assert '\nExecStart="/opt/my \\"photo\\" 100%%/$$x/photocloak" watch\n' in text
    assert "@" not in text
