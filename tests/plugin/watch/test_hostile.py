"""Folder trees that nobody should meet: nothing in them stops a search or the daemon.

`PHOTOCLOAK_TREES` and `PHOTOCLOAK_SEED` say how many trees are searched and which.
"""

import contextlib
import os
import random
import shutil
import socket
import stat
from pathlib import Path

from photocloak import exporters
from photocloak.plugin.main import run
from photocloak.plugin.progress import passed_line
from photocloak.plugin.storage.inputs import search
from photocloak.plugin.watch.tree import Candidate, Tree
from tests.plugin.fakes import PORTRAIT, write_photo
from tests.plugin.watch.harness import OVER, Place, until

TREES = int(os.environ.get("PHOTOCLOAK_TREES", "40"))
SEED = int(os.environ.get("PHOTOCLOAK_SEED", "1"))
ENDINGS = (b".png", b".JPG", b".jpeg", b".heics", b".mov", b".part", b".aria2", b".txt", b"", b".")
PIECES = (
    b"-rf", b"--", b"#", b"$(id)", b"`id`", b"\n", b"\r\x1b[31m", b"\t", b" ", b"'", b'"', b"\\",
    b"*", b"?", b":", b"|", b"%s", b"{0}", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80",
    b"\x7f", b"~", b"..", b"...", b"CON", b"@eaDir", b"\xe2\x80\xae", b"e\xcc\x81", b"a" * 200,
)  # fmt: skip


def a_name(chance: random.Random) -> bytes:
    """Return a name that the file system takes, of which not much else can be said."""
    body = b"".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))
    if chance.random() < 0.3:
        body += bytes(chance.choice([*range(1, 47), *range(48, 256)]) for _ in range(5))
    name = (body[:240] + chance.choice(ENDINGS)).strip(b"/")
    return b"_" + name if name in {b"", b".", b".."} else name


def put(chance: random.Random, folder: bytes, photo: bytes, depth: int) -> None:
    """Put one thing into a folder, whatever it may be."""
    path = os.path.join(folder, a_name(chance))  # noqa: PTH118
    kind = chance.choice(("photo", "junk", "folder", "folder", "link", "loop", "pipe", "socket",
                          "device", "empty", "sparse", "shut"))  # fmt: skip
    if kind == "photo":
        shutil.copy(photo, path)
    elif kind == "junk":
        Path(os.fsdecode(path)).write_bytes(chance.randbytes(200))
    elif kind in {"folder", "shut"}:
        os.mkdir(path)  # noqa: PTH102
        for _ in range(chance.randint(0, 6) if depth < 4 else 0):
            with contextlib.suppress(FileExistsError, OSError):
                put(chance, path, photo, depth + 1)
        if kind == "shut":
            os.chmod(path, chance.choice((0, 0o100, 0o300, 0o500)))  # noqa: PTH101
    elif kind == "link":
        os.symlink(chance.choice((b"/", b"/etc/passwd", b"..", b".", b"/dev/zero", photo)), path)  # noqa: PTH211
    elif kind == "loop":
        os.symlink(os.path.basename(path), path)  # noqa: PTH119, PTH211
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        # A socket's name holds 108 bytes: it is made elsewhere.
        short = b"/tmp/photocloak-%d" % os.getpid()
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(short)
        os.rename(short, path)  # noqa: PTH104
    elif kind == "device" and os.geteuid() == 0:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero, which has no end
    elif kind == "empty":
        Path(os.fsdecode(path)).write_bytes(b"")
    elif kind == "sparse":
        with open(path, "wb") as file:  # noqa: PTH123
            file.truncate(1 << 40)


def plant(top: Path, photo: Path, seed: int, things: int) -> None:
    chance = random.Random(seed)
    for _ in range(things):
        with contextlib.suppress(FileExistsError, OSError):
            put(chance, os.fsencode(top), os.fsencode(photo), 0)


def dig(top: Path, levels: int) -> None:
    """Make folders below one another, far beyond what a path can name."""
    home = os.open(".", os.O_RDONLY)
    try:
        os.chdir(top)
        for _ in range(levels):
            os.mkdir("down" * 10)  # noqa: PTH102
            os.chdir("down" * 10)
        Path("a.png").write_bytes(b"x")
    finally:
        os.fchdir(home)
        os.close(home)


def test_a_search_ends_and_both_ways_agree(tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "p.png", *PORTRAIT)
    for number in range(TREES):
        top = tmp_path / str(number)
        top.mkdir()
        plant(top, photo, SEED + number, 25)
        if number % 10 == 0:
            dig(top, 400)
        found = search([top], exporters.suffixes())
        seen = list(Tree([top], exporters.suffixes(), away=()).everything())
        taken = {one.source for one in seen if isinstance(one, Candidate)}
        # `cloak` takes each photo once, whatever links lead to it.
        assert {one.source for one in found.photos} <= taken, f"seed {SEED + number}"
        passed = [one for one in seen if not isinstance(one, Candidate)]
        assert sorted(map(passed_line, passed)) == sorted(map(passed_line, found.passed))
        assert all(passed_line(one).isprintable() for one in passed)
        for one in found.photos:
            assert one.source.is_file(), f"seed {SEED + number}: {one.source!r}"
        shutil.rmtree(top, ignore_errors=True)


def test_the_daemon_goes_on(place: Place) -> None:
    photo = write_photo(place.home / "p.png", *PORTRAIT)
    plant(place.inbox, photo, SEED, 30)
    dig(place.inbox, 150)
    place.put("first.png", 1)
    daemon = place.start(plain=True)
    place.finished("first.png", within=200)
    plant(place.inbox, photo, SEED + 1000, 30)
    for name in ("last.png", os.fsdecode(b"no \xff utf8\n.png"), "-rf.png"):
        place.put(name, 2)
    place.finished("last.png", "-rf.png", os.fsdecode(b"no \xff utf8\n.png"), within=200)
    until(lambda: all(one.state in OVER for one in place.entries().values()), 200, place.said)
    assert daemon.poll() is None, place.said()
    assert run(["status"]) == run(["status", "-v", "--json"]) == 0
    assert place.stop(daemon) == 0
    assert "Traceback" not in place.said(), place.said()
