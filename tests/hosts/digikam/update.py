"""digiKam 7.9 becomes 8.6 below one home, as Debian 12 becomes 13, with photocloak in it.

`tests/hosts/digikam/update` runs this in both, with what is kept between them at PHOTOCLOAK_KEPT.
photocloak is installed as its users do, into an environment that the new Debian's Python no longer
serves, and uses its real recognisers.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image as Pillow

from photocloak.core import manifest_root
from tests.hosts.digikam.screen import Digikam, Screen, tree, version

KEPT = Path(os.environ["PHOTOCLOAK_KEPT"])
ROOT = Path(__file__).parents[3]
QUEUE = ".local/share/digikam/queue.xml"
OWN = """<!DOCTYPE XMLQueueList>
<queuelist version="2.0" client="digikam" encoding="UTF-8">
    <queue>
        <queuetitle value="Zero metadata"/>
        <queuedesc value="my own"/>
        <tool>
            <toolname value="RemoveMetadata"/>
            <toolgroup value="8"/>
            <index value="0"/>
            <version value="1"/>
            <parameter name="RemoveExif" type="bool" value="true"/>
        </tool>
    </queue>
</queuelist>
"""
before = pytest.mark.skipif(version()[0] != "7", reason="digiKam was updated")
after = pytest.mark.skipif(version()[0] == "7", reason="digiKam was not updated yet")


class User:
    """Somebody with digiKam, an album, and a workflow of their own."""

    def __init__(self) -> None:
        self.screen = Screen(KEPT, KEPT / f"pictures-{version()}")
        self.screen.pictures.mkdir(exist_ok=True)
        self.home, self.album = self.screen.home, KEPT / "photos" / "album"
        self.digikam = Digikam(self.screen, self.album)
        self.command = self.home / ".local/share/photocloak/venv/bin/photocloak"
        (KEPT / "heard").unlink(missing_ok=True)

    def begin(self) -> None:
        """Have an album, a digiKam that was started, and a workflow of their own."""
        self.album.mkdir(parents=True)
        self.take("ada.jpg", quality=95)
        self.digikam.set_up()
        queue = self.home / QUEUE
        queue.parent.mkdir(exist_ok=True)
        queue.write_text(OWN)
        applications = self.home / ".local/share/applications"
        applications.mkdir()
        (applications / "mimeapps.list").write_text("[Default Applications]\n")

    def take(self, name: str, quality: int) -> None:
        """Have one more photo."""
        with Pillow.open(manifest_root() / "demo" / "astronaut.png") as face:
            face.convert("RGB").save(self.album / name, quality=quality)

    def install(self) -> None:
        """Install photocloak by its script."""
        said = self.screen.call("sh", str(ROOT / "scripts" / "install"))
        assert "photocloak is installed" in said, said

    def photocloak(self, *words: str) -> str:
        """Run the command; what it says is kept in `said`."""
        said = self.screen.call(str(self.command), *words)
        with (KEPT / "said").open("a") as log:
            log.write(f"{version()}: photocloak {' '.join(words)}\n{said}\n")
        return said

    def judge(self, name: str) -> dict[str, Any]:
        """Return what `check` says of a photo of the album."""
        told = self.photocloak("check", "--json", str(self.album / name))
        answer: dict[str, Any] = json.loads(told)
        return answer

    def publish(self, name: str) -> set[str]:
        """Run the workflow below their own; take what is new out of the album, and return it."""
        photos = set(self.album.iterdir())
        self.digikam.queue(1, name)
        new = set(self.album.iterdir()) - photos
        verdicts = [self.judge(one.name) for one in new]
        assert all(one["status"] == "cloaked" for one in verdicts), verdicts
        for one in new:
            one.rename(KEPT / f"{name}-{one.name}")
        return {one.name for one in new}

    def titles(self) -> list[str | None]:
        """Return the names of the workflows."""
        root = ElementTree.parse(self.home / QUEUE).getroot()
        return [one.get("value") for one in root.iter("queuetitle")]


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    user = User()
    try:
        yield user
    finally:
        user.screen.close()


@before
def test_digikam_7_publishes(user: User) -> None:
    user.begin()
    files = {name: hashlib.sha256(data).hexdigest() for name, data in tree(user.home).items()}
    (KEPT / "before.json").write_text(json.dumps(files, indent=1))
    user.install()
    user.photocloak("install", "digikam")
    assert user.publish("under-7") == {"ada-cloaked.jpg"}, user.screen.heard


@after
def test_digikam_8_says_that_the_update_has_broken_photocloak(user: User) -> None:
    assert "ModuleNotFoundError" in user.photocloak("doctor"), "nothing to see here otherwise"
    assert not user.publish("broken")
    assert "Not cloaked: ada.jpg" in user.screen.heard
    assert "install it again, then run: photocloak install digikam" in user.screen.heard


@after
def test_installed_again_the_same_workflow_publishes(user: User) -> None:
    user.install()
    assert "digikam" in user.photocloak("doctor")
    assert len(user.titles()) == 3
    user.take("eve.jpg", quality=90)
    assert user.publish("under-8") == {"ada-cloaked.jpg", "eve-cloaked.jpg"}, user.screen.heard


@after
def test_uninstalled_nothing_of_it_is_left(user: User) -> None:
    for one in ("digikam", "shell"):
        user.photocloak("uninstall", one)
    user.command.unlink()
    (user.home / ".local/bin/photocloak").unlink()
    assert user.titles() == ["Zero metadata"]
    was = json.loads((KEPT / "before.json").read_text())
    own = (".local/share/photocloak/", ".config/photocloak/", ".cache/photocloak/")
    now = {name: data for name, data in tree(user.home).items() if not name.startswith(own)}
    new = (name for name in now.keys() - was.keys() if not name.startswith(".cache/"))
    (KEPT / "new").write_text("\n".join(sorted(new)))
    assert not [name for name in now if "photocloak" in name]
    assert not [name for name, data in now.items() if b"photocloak" in data.lower()]
    assert not [name for name in was.keys() - now.keys() if not name.startswith(".cache/")]
    kept = ".local/share/applications/mimeapps.list"
    assert hashlib.sha256(now[kept]).hexdigest() == was[kept]
