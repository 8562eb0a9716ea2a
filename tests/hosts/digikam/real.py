"""The real digiKam, from installing to uninstalling: what it publishes, what it says, what stays.

By hand, since digiKam is large: `bash tests/hosts/debian13/run digikam` for 8.6 of Debian 13,
`digikam/bookworm` for 7.9 of Debian 12, or, with what `screen.py` needs,

    python -m pytest tests/hosts/digikam/real.py --basetemp=/tmp/digikam

The pictures of the screen are kept in `pictures` below that folder. It takes some minutes.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from photocloak.core import manifest_root
from photocloak.plugin.bridges import desktop, digikam
from photocloak.plugin.bridges.base import install, uninstall
from photocloak.plugin.storage.folders import Folders
from tests.hosts.digikam.screen import Digikam, Screen, script, tree
from tests.plugin.fakes import BARE, PORTRAIT, write_photo

ROOT = Path(__file__).parents[3]
NAMES = ["$HOME $(touch pwned).jpg", '"; touch pwned; echo ".jpg', "it's Größe 😀.jpg"]
TAGGED, FACELESS, REAL = "tagged.jpg", "no face.jpg", "real face.jpg"
MOMENTS = (0.1, 0.5, 1, 1.5, 2, 3, 4, 5, 7, 10)
"""Seconds after which photocloak is killed, for a photo each."""

PHOTOCLOAK = Path(sys.executable).with_name("photocloak")

# The real command for real faces, killed where the photo's name says so; for drawn ones the real
# command line, whose recognisers are fakes. These do not share what they know of people.
PROGRAM = """#!/bin/sh
for photo; do :; done
case $photo in
*/"real "* | */"kill "*) export XDG_DATA_HOME='{real}' ;;
*)
    PYTHONPATH='{root}' exec '{python}' -m tests.plugin.fake_cloak fakes "$@" ;;
esac
case $photo in */"kill "*) ;; *) exec '{photocloak}' "$@" ;; esac
after=${{photo##*kill }}
'{photocloak}' "$@" &
( sleep "${{after%.jpg}}"; kill -KILL $! ) &
wait $!
wait %1
"""


@dataclass
class Story:
    """What was found on the way from installing to uninstalling."""

    screen: Screen
    album: Path
    home_before: Mapping[str, bytes] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, bytes] = field(default_factory=dict)
    later: Mapping[str, bytes] = field(default_factory=dict)
    left: Mapping[Path, str] = field(default_factory=dict)

    def judge(self, photo: Path) -> dict[str, Any]:
        """Return what `photocloak check` says of a photo, with what the real command knows."""
        environ = self.screen.env | {"XDG_DATA_HOME": str(self.screen.place / "real")}
        command = [str(PHOTOCLOAK), "check", "--json", str(photo)]
        run = subprocess.run(command, env=environ, check=False, stdout=subprocess.PIPE)
        told: dict[str, Any] = json.loads(run.stdout)
        return told

    def judge_result(self, name: str, place: Path) -> dict[str, Any]:
        """Return what `photocloak check` says of a result."""
        photo = place / "one.jpg"
        photo.write_bytes(self.results[name])
        return self.judge(photo)

    def is_own(self, name: str, place: Path) -> bool:
        """Tell whether a result is, byte for byte, what photocloak has checked and noted."""
        photo = place / "one.jpg"
        photo.write_bytes(self.results[name])
        command = [sys.executable, "-m", "tests.plugin.fake_cloak", "fakes", "cloak", "--json"]
        said = self.screen.call(*command, "-o", str(place / "out"), str(photo))
        return '"status": "already_cloaked"' in said


def make_album(album: Path) -> dict[str, str]:
    album.mkdir(parents=True)
    for number, name in enumerate((*NAMES, TAGGED)):
        write_photo(album / name, *PORTRAIT, seed=number)
    write_photo(album / FACELESS, *BARE)
    with Pillow.open(manifest_root() / "demo" / "astronaut.png") as face:
        for number, name in enumerate((REAL, *(f"kill {moment}.jpg" for moment in MOMENTS))):
            face.convert("RGB").save(album / name, quality=95 - number)
    tags = ["-XMP-digiKam:TagsList=People/Ada Lovelace", "-IPTC:Keywords=Ada Lovelace"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *tags, album / TAGGED], check=True)
    return {one.name: sha(one) for one in album.iterdir()}


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Install, use, update, use once more, uninstall."""
    if shutil.which("digikam") is None:
        pytest.skip("digiKam is not installed")
    place, pictures = tmp_path_factory.mktemp("digikam"), tmp_path_factory.mktemp("pictures")
    screen = Screen(place, pictures)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(screen.home))
        try:
            yield _story(screen, patch)
        finally:
            screen.close()


def _story(screen: Screen, patch: pytest.MonkeyPatch) -> Story:
    story = Story(screen, screen.place / "photos" / "album")
    originals, folders = make_album(story.album), Folders.of_user()
    story.originals = originals
    host = Digikam(screen, story.album)
    host.set_up()
    folders.settings.parent.mkdir(parents=True)
    folders.settings.write_text('preset = "anonymous"\n')
    story.home_before = tree(screen.home)

    def put(version: str) -> None:
        real = screen.place / "real"
        text = PROGRAM.format(root=ROOT, python=sys.executable, photocloak=PHOTOCLOAK, real=real)
        program = script(screen.place / version / "photocloak", text)
        for bridge in (digikam, desktop):
            patch.setattr(bridge, "program", lambda: program)
        install(digikam.Digikam(), folders)

    put("old")
    host.queue(0, "publish")
    story.results = _new(story)
    for name in [*story.results, *originals]:
        if name != TAGGED:
            (story.album / name).unlink()
    shutil.rmtree(screen.place / "old")
    put("new")  # an update, to another place
    host.queue(1, "work")
    story.later = _new(story)
    story.left = uninstall(digikam.Digikam(), folders).left
    return story


def _new(story: Story) -> dict[str, bytes]:
    found = {one.name: one.read_bytes() for one in story.album.iterdir() if one.is_file()}
    return {name: data for name, data in found.items() if name not in story.originals}


def result(name: str) -> str:
    return f"{Path(name).stem}-cloaked.jpg"


def test_originals_stay_and_no_name_is_a_command(story: Story) -> None:
    assert sha(story.album / TAGGED) == story.originals[TAGGED]
    assert not list(story.screen.place.rglob("pwned"))


def test_every_portrait_is_published_as_it_was_checked(story: Story, tmp_path: Path) -> None:
    for name in (*NAMES, TAGGED):
        assert result(name) in story.results, story.screen.heard
        assert story.is_own(result(name), tmp_path)


def test_a_real_face_is_cloaked_for_the_real_recognisers(story: Story, tmp_path: Path) -> None:
    assert result(REAL) in story.results, story.screen.heard
    told = story.judge_result(result(REAL), tmp_path)
    assert (told["status"], told["cloaked"]) == ("cloaked", True)
    assert [face["verdict"] for face in told["found"]] == ["good"]
    Pillow.open(manifest_root() / "demo" / "astronaut.png").convert("RGB").save(tmp_path / "it.jpg")
    assert story.judge(tmp_path / "it.jpg")["status"] == "not_cloaked"


def test_digikam_writes_no_names_into_what_is_published(story: Story, tmp_path: Path) -> None:
    data = story.results[result(TAGGED)]
    assert b"Lovelace" not in data and b"digiKam" not in data
    assert b"Lovelace" in (story.album / TAGGED).read_bytes()
    (kept,) = story.later.values()
    assert b"Lovelace" in kept, "to work on, what the photo itself tells is kept"


def test_what_is_held_back_is_not_there_and_told_in_words(story: Story) -> None:
    assert result(FACELESS) not in story.results
    heard = story.screen.heard
    assert f"Held back: {FACELESS}\n" in heard and "no face was found" in heard
    assert "--urgency=critical" in heard and " --no-face" not in heard


def test_killed_at_ten_moments_nothing_unchecked_is_published(story: Story, tmp_path: Path) -> None:
    there = [f"kill {one}.jpg" for one in MOMENTS if result(f"kill {one}.jpg") in story.results]
    for name in there:  # it was done before it was to be killed
        assert story.judge_result(result(name), tmp_path)["cloaked"]
    for one in MOMENTS:
        if f"kill {one}.jpg" not in there:
            assert f"Not cloaked: kill {one}.jpg\n" in story.screen.heard
    assert len(there) < len(MOMENTS)
    wanted = {result(name) for name in (*NAMES, TAGGED, REAL, *there)}
    assert set(story.results) == wanted, "nothing else lies there"


def test_after_uninstalling_nothing_of_it_is_left(story: Story) -> None:
    """But photocloak's own folders, which are the user's to keep (README)."""
    assert not story.left
    own = (".config/photocloak/", ".local/share/photocloak/", ".cache/photocloak/")
    after = {n: d for n, d in tree(story.screen.home).items() if not n.startswith(own)}
    assert not [name for name, data in after.items() if b"photocloak" in data.lower()]
    assert not [name for name in after if "photocloak" in name]
    queue = after.get(".local/share/digikam/queue.xml", b"")
    assert b"<queue>" not in queue
    gone = story.home_before.keys() - after.keys()
    assert not [one for one in gone if not one.startswith((*own, ".cache/"))]
