"""A file appears whole or not at all, over nobody's file, whatever happens."""

import errno
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from photocloak.core import OutputError
from photocloak.exporters import publish, publishing, sweep


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_taken_name_gets_a_counter(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"theirs")
    (tmp_path / "a-2.jpg").symlink_to("nowhere")
    path = publish(b"ours", tmp_path, "a", ".jpg", like=None)
    assert path.name == "a-3.jpg"
    assert (tmp_path / "a.jpg").read_bytes() == b"theirs"


@pytest.mark.parametrize(
    ("source", "umask", "output"),
    [
        (0o444, 0o022, 0o644),
        (0o400, 0o022, 0o600),
        (0o640, 0o022, 0o640),
        (0o777, 0o022, 0o644),
        (0o600, 0o002, 0o600),
        (0o444, 0o002, 0o664),
        (0o644, 0o077, 0o600),
        (0o204, 0o022, 0o604),
    ],
)
def test_an_output_is_as_any_new_file_but_read_by_no_more_people_than_its_source(
    tmp_path: Path, source: int, umask: int, output: int
) -> None:
    photo = tmp_path / "s.jpg"
    photo.write_bytes(b"s")
    photo.chmod(source)
    before = os.umask(umask)
    try:
        path = publish(b"x", tmp_path, "a", ".jpg", like=photo)
    finally:
        os.umask(before)
    assert oct(path.stat().st_mode & 0o777) == oct(output)


def test_an_output_has_its_sources_times_or_none(tmp_path: Path) -> None:
    source = tmp_path / "s.jpg"
    source.write_bytes(b"s")
    os.utime(source, ns=(10**18, 10**18 + 123))
    assert publish(b"x", tmp_path, "a", ".jpg", like=source).stat().st_mtime_ns == 10**18 + 123
    began = time.time_ns()
    status = publish(b"x", tmp_path, "b", ".jpg", like=source, dated=False).stat()
    assert abs(status.st_mtime_ns - began) < 10**12 and abs(status.st_atime_ns - began) < 10**12


def test_an_earlier_output_is_replaced_in_one_step(tmp_path: Path) -> None:
    first = publish(b"1", tmp_path, "a", ".jpg", like=None)
    assert publish(b"2", tmp_path, "a", ".jpg", like=None, replace=first) == first
    assert first.read_bytes() == b"2"
    assert names(tmp_path) == ["a.jpg"]


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    stem = "ü" * 127
    publish(b"1", tmp_path, stem, ".jpg", like=None)
    assert publish(b"2", tmp_path, stem, ".jpg", like=None).read_bytes() == b"2"


@pytest.fixture
def refusal() -> int:
    """Return what a file system says to what it cannot do."""
    return errno.EPERM


@pytest.fixture(params=["nameless", "named", "no links", "nothing"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, refusal: int) -> str:
    """Take from the file system what not all of them can do, one after the other."""
    real_open = os.open

    def no_nameless(path: object, flags: int, *rest: int, **named: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no")
        return real_open(path, flags, *rest, **named)  # type: ignore[arg-type]

    def no_link(*_: object, **__: object) -> None:
        raise OSError(refusal, "no")

    if request.param != "nameless":
        monkeypatch.setattr(os, "open", no_nameless)
    if request.param in ("no links", "nothing"):
        monkeypatch.setattr(os, "link", no_link)
    if request.param == "nothing":
        monkeypatch.setattr(publishing, "_rename_noreplace", no_link)
    return str(request.param)


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EIO, errno.ENOSYS, errno.EMLINK])
@pytest.mark.usefixtures("way")
def test_every_kind_of_file_system_is_served(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"theirs")
    path = publish(b"ours" * 1000, tmp_path, "a", ".jpg", like=None)
    assert (path.name, path.read_bytes()) == ("a-2.jpg", b"ours" * 1000)
    assert names(tmp_path) == ["a-2.jpg", "a.jpg"]
    publish(b"again", tmp_path, "a", ".jpg", like=None, replace=path)
    assert names(tmp_path) == ["a-2.jpg", "a.jpg"]


def test_a_failure_leaves_nothing(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="disk is full"):
        publish(b"x", tmp_path, "a", ".jpg", like=None)
    assert names(tmp_path) == []


@pytest.mark.usefixtures("way")
def test_room_is_looked_for_and_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publishing.require_room(tmp_path, 3_000_000)
    assert names(tmp_path) == []

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        publishing.require_room(tmp_path, 1)
    assert names(tmp_path) == []


def test_what_the_file_system_did_not_keep_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some take everything, and lose it on the way to the server without a word."""
    real = publishing._rename

    def loses(temporary: Path, path: Path) -> None:
        temporary.write_bytes(b"")
        real(temporary, path)

    monkeypatch.setattr(publishing, "_open_nameless", lambda _: None)
    monkeypatch.setattr(publishing, "_rename", loses)
    with pytest.raises(OutputError, match="did not keep it"):
        publish(b"x", tmp_path, "a", ".jpg", like=None)
    assert names(tmp_path) == []


def test_a_name_that_was_reserved_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the last step fails, as on a server that is full, no empty photo is left."""

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(publishing, "_open_nameless", lambda _: None)
    monkeypatch.setattr(os, "link", fails)
    monkeypatch.setattr(publishing, "_rename_noreplace", fails)
    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OutputError, match="Input/output error"):
        publish(b"x", tmp_path, "a", ".jpg", like=None)
    assert names(tmp_path) == []


def test_a_real_full_disk_leaves_nothing() -> None:
    place = Path("/dev/shm")
    folder = place / f"photocloak-{os.getpid()}"
    if not place.is_dir():
        pytest.skip("there is no /dev/shm")
    folder.mkdir()
    try:
        script = (
            "import resource; from pathlib import Path\nfrom photocloak.exporters import publish\n"
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
            f"publish(bytes(10**6), Path({str(folder)!r}), 'a', '.jpg', like=None)"
        )
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        assert "OutputError" in run.stderr
        assert names(folder) == []
    finally:
        folder.rmdir()


def test_a_folder_that_is_not_there_or_not_writable(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        publish(b"x", tmp_path / "missing", "a", ".jpg", like=None)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="no folder"):
        publish(b"x", tmp_path / "file", "a", ".jpg", like=None)


def test_sweep_takes_only_what_dead_processes_left(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".photocloak-{dead.pid}-00.part").write_bytes(b"x")
    mine = tmp_path / f".photocloak-{os.getpid()}-00.part"
    mine.write_bytes(b"x")
    (tmp_path / "photo.part").write_bytes(b"x")
    assert sweep(tmp_path) == 1
    assert names(tmp_path) == [mine.name, "photo.part"]


WRITER = textwrap.dedent(
    """
    import hashlib, os, sys
    from pathlib import Path
    from photocloak.exporters import publish, publishing
    if sys.argv[2] == "named":
        real = os.open
        def no(path, flags, *rest, **named):
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(95, "no")
            return real(path, flags, *rest, **named)
        publishing.os.open = no
    while True:
        body = os.urandom(1 << 18)
        publish(hashlib.sha256(body).digest() + body, Path(sys.argv[1]), "p", ".jpg", like=None)
    """
)
KILLS = int(os.environ.get("PHOTOCLOAK_KILLS", "12"))


@pytest.mark.parametrize("kind", ["nameless", "named"])
def test_kill_9_shows_nobody_a_part_of_a_file(kind: str, tmp_path: Path) -> None:
    """Kill writers at random moments while an observer reads every file as it appears."""
    from hashlib import sha256

    torn: list[str] = []
    seen: set[str] = set()
    done = threading.Event()

    def observe() -> None:
        while not done.is_set():
            for entry in os.scandir(tmp_path):
                if entry.name in seen or entry.name.startswith("."):
                    continue
                data = Path(entry.path).read_bytes()
                seen.add(entry.name)
                if data[:32] != sha256(data[32:]).digest():
                    torn.append(entry.name)

    observer = threading.Thread(target=observe)
    observer.start()
    rng = random.Random(1)
    for _ in range(KILLS):
        before = len(seen)
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), kind])
        deadline = time.monotonic() + 20
        while len(seen) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.1)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    done.set()
    observer.join()
    assert torn == []
    assert len(seen) >= KILLS
    sweep(tmp_path)
    assert not [name for name in names(tmp_path) if name.startswith(".")]
