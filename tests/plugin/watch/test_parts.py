"""The daemon's parts that need no process: settling, scanning, mounts, the journal's order."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from photocloak.core import ConfigError
from photocloak.plugin import Folders, Settings, load_settings
from photocloak.plugin.pipeline.job import FaceOutcome, Outcome, Status
from photocloak.plugin.storage.written_files import signature_of
from photocloak.plugin.watch import settle
from photocloak.plugin.watch.config import read_config
from photocloak.plugin.watch.events import Events, Hints
from photocloak.plugin.watch.journal import Journal, State
from photocloak.plugin.watch.lock import OutputLock, is_locked
from photocloak.plugin.watch.mounts import mount_of
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.settle import Settler, is_being_written
from photocloak.plugin.watch.tree import Candidate, Tree


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def candidate(path: Path) -> Candidate:
    return Candidate(path, Path(), signature_of(path) or "")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    return path


class TestSettling:
    def test_a_file_must_stay_the_same_for_a_while(self, photo: Path) -> None:
        clock = Clock()
        settler = Settler(2.0, clock)
        settler.see(candidate(photo))
        assert settler.due() == 2.0
        clock.now += 1.5
        photo.write_bytes(b"photo, longer")
        settler.see(candidate(photo))
        clock.now += 1.0
        assert list(settler.settled()) == []
        clock.now += 1.0
        assert [one.source for one in settler.settled()] == [photo]
        assert settler.due() is None

    def test_a_change_that_no_event_told_of_is_seen(self, photo: Path) -> None:
        clock = Clock()
        settler = Settler(2.0, clock)
        settler.see(candidate(photo))
        photo.write_bytes(b"other")
        clock.now += 2.0
        assert list(settler.settled()) == [] and len(settler) == 1
        clock.now += 2.0
        assert len(list(settler.settled())) == 1

    def test_an_open_file_is_waited_for_but_not_for_ever(self, photo: Path) -> None:
        clock = Clock()
        settler = Settler(2.0, clock)
        settler.see(candidate(photo))
        with photo.open("ab"):
            assert is_being_written(photo)
            clock.now += 2.0
            assert list(settler.settled()) == []
            clock.now += settle.WRITER_TIMEOUT
            assert len(list(settler.settled())) == 1
        with photo.open("rb"):
            assert not is_being_written(photo)

    def test_a_file_that_went_is_let_go(self, photo: Path) -> None:
        clock = Clock()
        settler = Settler(2.0, clock)
        settler.see(candidate(photo))
        photo.unlink()
        clock.now += 2.0
        assert list(settler.settled()) == [] and len(settler) == 0

    def test_memory_is_bounded(self, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settle, "ROOM", 3)
        settler = Settler(2.0, Clock())
        for number in range(5):
            settler.see(Candidate(photo.with_name(f"{number}.jpg"), Path(), "x"))
        assert len(settler) == 3 and settler.overflowed


def test_a_folder_that_goes_while_it_is_walked(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jpg").write_bytes(b"")
    walk = Tree([tmp_path], {".jpg"}, away=()).everything()
    first = next(walk)
    for name in ("a", "b"):
        (tmp_path / name / "x.jpg").unlink()
        (tmp_path / name).rmdir()
    assert (
        isinstance(first, Candidate) and first.below in {Path("a"), Path("b")} and list(walk) == []
    )


def test_a_folder_with_too_many_hints_is_looked_through(tmp_path: Path) -> None:
    wake = Events()
    hints = Hints(wake, ())
    for number in range(1_200):
        hints.add(tmp_path / str(number), deep=False)
    folders, everything = hints.take()
    assert everything and len(folders) < 1_000
    wake.close()


def test_where_a_path_lies() -> None:
    assert mount_of(Path("/proc/self")).kind == "proc"
    assert mount_of(Path("/")).point == "/"


@contextmanager
def locked(output: Path, folders: Folders) -> Iterator[None]:
    lock = OutputLock(output, folders)
    yield
    lock.release()


def test_the_lock_is_the_folders_whatever_leads_there(tmp_path: Path, folders: Folders) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "alias").symlink_to(out)
    assert not is_locked(out, folders)
    with locked(out, folders):
        assert is_locked(tmp_path / "alias", folders)
        with pytest.raises(ConfigError, match="another photocloak"):
            OutputLock(out, folders)
    assert not is_locked(out, folders)


class TestQueue:
    @pytest.fixture
    def journal(self, folders: Folders) -> Journal:
        return Journal.of_user(folders)

    @pytest.fixture
    def queue(self, journal: Journal, tmp_path: Path) -> Queue:
        return Queue(journal.database, tmp_path / "out", lambda: -5.0)

    def test_a_photo_that_was_in_hand_at_a_death_comes_last(
        self, queue: Queue, photo: Path
    ) -> None:
        for name in ("a.jpg", "b.jpg"):
            photo.with_name(name).write_bytes(name.encode())
            queue.add(candidate(photo.with_name(name)), name)
        first = queue.next()
        assert first is not None and first.source.name == "a.jpg"
        queue.begin(first, {"made before"}, Settings())
        (again,) = queue.in_hand()
        assert again.before == {"made before"}
        queue.put_back(again, last=True)
        second = queue.next()
        assert second is not None and second.source.name == "b.jpg"

    def test_order_does_not_rest_on_the_clock(
        self, journal: Journal, queue: Queue, photo: Path, tmp_path: Path
    ) -> None:
        for number in range(3):
            path = photo.with_name(f"{number}.jpg")
            path.write_bytes(b"%d" % number)
            queue.add(candidate(path), str(number))
            task = queue.next()
            assert task is not None
            queue.finish(task, Outcome(path, None, Status.FAILED, "why", seconds=2.0), None)
        found = journal.problems(tmp_path / "out", 2)
        assert [one.source.name for one in found] == ["2.jpg", "1.jpg"]
        assert found[0].finished == -5.0
        assert journal.pace(tmp_path / "out") == pytest.approx(0.0, abs=2.0)

    def test_the_first_photo_counts_for_the_pace(
        self, journal: Journal, queue: Queue, photo: Path, tmp_path: Path
    ) -> None:
        for number, seconds in enumerate((40.0, 0.01)):  # a photo, then what fails at once
            path = photo.with_name(f"{number}.jpg")
            path.write_bytes(b"%d" % number)
            queue.add(candidate(path), str(number))
            task = queue.next()
            assert task is not None
            queue.finish(task, Outcome(path, None, Status.FAILED, "why", seconds=seconds), None)
        assert journal.pace(tmp_path / "out") == pytest.approx(20.0, abs=0.5)

    def test_retry_strikes_off_what_is_gone(
        self, journal: Journal, queue: Queue, photo: Path, tmp_path: Path
    ) -> None:
        queue.refuse(candidate(photo), "cannot be read")
        assert [one.state for one in journal.entries()] == [State.FAILED]
        photo.unlink()
        assert journal.retry([]) == []
        assert list(journal.entries()) == []

    def test_the_journal_is_private(self, journal: Journal, queue: Queue, photo: Path) -> None:
        queue.add(candidate(photo), "x")
        assert journal.database.path.stat().st_mode & 0o777 == 0o600


class TestOrders:
    def test_a_folder_in_another_is_watched_once(self, tmp_path: Path, folders: Folders) -> None:
        (tmp_path / "in" / "sub").mkdir(parents=True)
        paths = [tmp_path / "in" / "sub", tmp_path / "in"]
        config = read_config(folders, paths=paths, output=tmp_path / "out")
        assert config.folders == (tmp_path / "in",)

    def test_weak_cloaks_are_accepted_by_option_or_by_setting(
        self, tmp_path: Path, folders: Folders
    ) -> None:
        def accepted(**said: bool | None) -> bool:
            config = read_config(folders, paths=[tmp_path / "in"], output=tmp_path / "out", **said)
            return config.settings.accept_weak

        (tmp_path / "in").mkdir()
        assert not accepted() and accepted(accept_weak=True)
        folders.config.mkdir(parents=True)
        folders.settings.write_text("accept_weak = true")
        assert accepted() and accepted(accept_weak=None)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('watch = "/photos"', "must be a list of folders"),
            ("watch = [3]", "must be a list of folders"),
            ('watch = ["photos"]', "must begin with / or ~"),
            ('watch_output = "photos"', "must begin with / or ~"),
        ],
    )
    def test_mistakes_in_the_settings_are_named(self, tmp_path: Path, text: str, said: str) -> None:
        (tmp_path / "settings.toml").write_text(text)
        with pytest.raises(ConfigError, match="settings") as caught:
            load_settings(tmp_path / "settings.toml")
        assert said in str(caught.value)

    @pytest.mark.parametrize("option", [{"mode": "nonsense"}, {"preset": "nonsense"}])
    def test_what_does_not_exist_is_refused_at_once(
        self, tmp_path: Path, folders: Folders, option: dict[str, str]
    ) -> None:
        with pytest.raises(ConfigError, match="nonsense"):
            read_config(folders, paths=[tmp_path], output=tmp_path / "out", **option)


def test_a_signature_changes_with_the_file_though_its_date_does_not(photo: Path) -> None:
    before, times = signature_of(photo), photo.stat()
    photo.write_bytes(b"PHOTO")
    os.utime(photo, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert signature_of(photo) != before


def test_a_file_that_cannot_be_read_for_now_stays_new(photo: Path, folders: Folders) -> None:
    journal = Journal.of_user(folders)
    queue = Queue(journal.database, photo.parent / "out", lambda: 0.0)
    now = candidate(photo)
    assert queue.postpone(now, "gone") and not queue.postpone(now, "gone")
    assert queue.postpone(now, "stale")
    (entry,) = journal.entries()
    assert (entry.state, entry.reason) == (State.WAITING, "stale")
    queue.wake()
    assert queue.next() is None and queue.news([now]) == [now]
    queue.add(now, "as read")
    queue.postpone(replace(now, signature="mounted again"), "gone")
    (entry,) = journal.entries()
    assert (entry.state, entry.sha256) == (State.PENDING, "as read"), "what is known of it stays"


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "file").write_bytes(b"")
    roots = [tmp_path / "here", tmp_path / "gone", tmp_path / "file"]
    said = Tree(roots, {".jpg"}, away=()).why_not_seen()
    assert said is not None and "gone: cannot" in said and "file: cannot" in said
    assert Tree(roots[:1], {".jpg"}, away=()).why_not_seen() is None


def test_a_face_of_an_earlier_journal_has_no_mode() -> None:
    face = FaceOutcome((1, 2, 30, 40), "Ada", 0.01, {"hse": 0.4}, "balanced")
    row = face.as_json()
    assert FaceOutcome.from_json(row) == face
    del row["mode"]
    assert FaceOutcome.from_json(row) == replace(face, mode=None)
