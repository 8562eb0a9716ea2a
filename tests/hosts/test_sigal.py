"""sigal itself, with the plugin: what is held back is published nowhere."""

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from photocloak.plugin import Folders
from tests.plugin.fakes import BARE, GROUP, PORTRAIT, write_photo

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    find_spec("sigal") is None, reason="sigal is not installed (pip install sigal)"
)

CONF = """
from photocloak.plugin.sigal import PLUGIN

plugins = [PLUGIN]
source = "album"
destination = "gallery"
{more}
__import__("sys").modules[PLUGIN].command = lambda: {command!r}
"""

FAKE = [sys.executable, "-m", "tests.plugin.fake_cloak", "fakes"]


class Site:
    """An album with a gallery of it."""

    def __init__(self, home: Path) -> None:
        self.home, self.album, self.gallery = home, home / "album", home / "gallery"
        self.cloaked = home / "album-cloaked"
        self.clean: set[str] = set()

    def put(self, name: str, size: tuple[int, int], seed: int) -> Path:
        path = write_photo(self.album / name, *size, seed)
        self.clean.add(_sha256(path))
        return path

    def build(
        self, more: str = "", command: list[str] = FAKE
    ) -> "subprocess.CompletedProcess[str]":
        conf = self.home / "sigal.conf.py"
        conf.write_text(CONF.format(more=more, command=command))
        return subprocess.run(
            [sys.executable, "-m", "sigal", "build", "-c", str(conf), "-n", "1"],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.home,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )

    def published(self) -> list[str]:
        """Return the pictures of the gallery, thumbnails too; none of them is a clean file."""
        found = [one for one in self.gallery.rglob("*.*") if one.suffix in {".jpg", ".png"}]
        found = [one for one in found if "static" not in one.parts]
        assert not self.clean & {_sha256(one) for one in found}
        return sorted(str(one.relative_to(self.gallery)) for one in found)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def site(tmp_path: Path, folders: Folders) -> Site:
    one = Site(tmp_path)
    one.put("a.jpg", PORTRAIT, 1)
    one.put("trip/b.jpg", GROUP, 2)
    one.put("trip/bare [1].jpg", BARE, 3)
    (one.album / "trip" / "index.md").write_text("Title: The trip\n")
    (one.album / "film.mp4").write_bytes(b"no film")
    return one


def test_a_gallery_of_cloaked_photos(site: Site) -> None:
    run = site.build("keep_orig = True\nfiles_to_copy = (('a.jpg', 'b.jpg'), ('x.txt', 'x.txt'))")
    assert run.returncode == 0, run.stderr
    names = ["a.jpg", "b.jpg", "thumbnails/a.jpg", "trip/b.jpg", "trip/thumbnails/b.jpg"]
    assert site.published() == names
    for name in ("a.jpg", "trip/b.jpg"):
        assert _sha256(site.gallery / name) == _sha256(site.cloaked / name), "as it was verified"
    assert "The trip" in (site.gallery / "trip" / "index.html").read_text()
    told = run.stdout + run.stderr
    assert "bare [1].jpg" in told and "1 videos are left out" in told


def test_what_changes_afterwards_changes_in_the_gallery(site: Site) -> None:
    assert site.build().returncode == 0
    before = _sha256(site.gallery / "a.jpg")
    site.put("a.jpg", PORTRAIT, 9)
    (site.album / "trip" / "b.jpg").unlink()
    site.put("trip/b.jpg", BARE, 4)  # held back from now on
    site.put("trip/c.jpg", PORTRAIT, 5)
    assert site.build().returncode == 0
    assert _sha256(site.gallery / "a.jpg") != before
    names = ["a.jpg", "thumbnails/a.jpg", "trip/c.jpg", "trip/thumbnails/c.jpg"]
    assert site.published() == names, "nothing of what is held back now"
    assert "b.jpg" not in (site.gallery / "trip" / "index.html").read_text()


@pytest.mark.parametrize(
    "command",
    [["false"], ["no-such-program"], [sys.executable, "-c", "import os; os.abort()"],
     [sys.executable, "-c", "print('nonsense')"], [sys.executable, "-c", "raise SystemExit(7)"]],
)  # fmt: skip
def test_whatever_goes_wrong_nothing_is_published(site: Site, command: list[str]) -> None:
    run = site.build(command=command)
    assert run.returncode != 0 and "Nothing was published" in run.stderr
    assert not site.gallery.exists()


def test_where_photocloak_is_missing_sigal_ends(site: Site) -> None:
    run = site.build("raise ImportError('No module named photocloak')")
    assert run.returncode != 0 and not site.gallery.exists()


def test_a_gallery_that_was_built_without_it_is_refused(site: Site) -> None:
    write_photo(site.gallery / "old.jpg", *PORTRAIT)
    run = site.build(command=["false"])
    assert run.returncode != 0 and "delete it, and build again" in run.stderr


def test_a_folder_of_somebody_is_left_alone(site: Site) -> None:
    site.cloaked.mkdir()
    (site.cloaked / "mine.md").write_text("mine")
    run = site.build()
    assert run.returncode != 0 and "photocloak_folder" in run.stderr
    assert list(site.cloaked.iterdir()) == [site.cloaked / "mine.md"] and not site.gallery.exists()
