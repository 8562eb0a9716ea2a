"""How much the receiver takes, and what it leaves behind."""

import hashlib
import http.client
import socket
import stat
import threading
from pathlib import Path

import pytest
from werkzeug.test import Client

from photocloak.core import ConfigError, OutputError
from photocloak.plugin import Database, Folders, Outcome, Settings, Status
from photocloak.plugin.receiver.app import make_app
from photocloak.plugin.receiver.desk import Desk, Limits
from photocloak.plugin.receiver.listening import Port, SocketFile
from photocloak.plugin.receiver.problems import refused
from photocloak.plugin.receiver.store import KEPT, FullError, Store, Wish
from photocloak.plugin.receiver.token import token_of
from photocloak.plugin.server import ByHeader, Guard
from photocloak.plugin.storage.database import Schema
from photocloak.plugin.watch.journal import Journal, State
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.schema import JOURNAL
from tests.plugin.executors.test_process_pool import HUNG
from tests.plugin.receiver.harness import Answer, Receiver, form, photo
from tests.plugin.receiver.test_answers import DESCRIBED, conforms

WISH = Wish("a.png", "balanced", "web")


class Clock:
    """The time of day, as a test says."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def sent(store: Store, home: Path, data: bytes, wish: Wish = WISH) -> str:
    file = home / "sent"
    file.write_bytes(data)
    with file.open("rb") as one:
        return store.take(one, wish)


def finish(store: Store, job: str, data: bytes | None) -> Path:
    """Do what the daemon does with a job."""
    queue = store._queue
    (task,) = [one for one in queue.pending(99) if one.source.name == job]
    queue.begin(task, [], Settings())
    made = store.output / f"{job}.png"
    if data is None:
        queue.finish(task, Outcome(task.source, None, Status.NO_FACE, "no face"), None)
    else:
        made.write_bytes(data)
        outcome = Outcome(task.source, made, Status.CLOAKED)
        queue.finish(task, outcome, hashlib.sha256(data).hexdigest())
    return made


def test_a_journal_of_an_earlier_version_goes_on(folders: Folders, tmp_path: Path) -> None:
    earlier = Database(folders.data / "watch.db", Schema(JOURNAL.versions[:1], "it", "nothing"))
    with earlier.transaction() as connection:
        connection.execute(
            "INSERT INTO photos (output, source, below, signature, sha256, state) "
            "VALUES (CAST('/out' AS BLOB), CAST('/in/a' AS BLOB), CAST('' AS BLOB), 's', 'h', "
            "'pending')"
        )
    journal = Journal.of_user(folders)
    (entry,) = journal.entries()
    assert (entry.asked, entry.discloses, entry.outcome()) == ({}, (), None)
    (task,) = Queue(journal.database, Path("/out"), lambda: 0.0).pending(9)
    assert task.asked == {}


def test_what_waits_is_limited_and_what_is_there_already_is_not_counted(
    folders: Folders, tmp_path: Path
) -> None:
    store = Store(folders, most=2)
    first = sent(store, tmp_path, b"one")
    sent(store, tmp_path, b"two")
    with pytest.raises(FullError):
        sent(store, tmp_path, b"three")
    assert sent(store, tmp_path, b"one") == first
    assert len(list(store.incoming.iterdir())) == 2 and not list(store.temporary.iterdir())


def test_what_is_over_is_kept_for_an_hour(folders: Folders, tmp_path: Path) -> None:
    clock = Clock()
    store = Store(folders, most=9, clock=clock)
    made, held = sent(store, tmp_path, b"one"), sent(store, tmp_path, b"two")
    waits = sent(store, tmp_path, b"three")
    file = finish(store, made, b"cloaked")
    finish(store, held, None)
    clock.now += KEPT - 1
    store.tidy()
    assert file.exists() and store.entry(held) is not None
    clock.now += 2
    store.tidy()
    assert not file.exists() and store.entry(made) is None and store.entry(held) is None
    assert store.entry(waits) is not None and (store.incoming / waits).exists()


def test_what_a_death_left_behind_goes_at_the_next_start(folders: Folders, tmp_path: Path) -> None:
    store = Store(folders, most=9)
    waits, over = sent(store, tmp_path, b"one"), sent(store, tmp_path, b"two")
    file = finish(store, over, b"cloaked")
    left = [
        store.incoming / ("0" * 32),  # no row yet
        store.incoming / over,  # over, but not dropped yet
        store.output / f"{'1' * 32}.png",  # of a job that was forgotten
        store.temporary / "half",
    ]
    for path in left:
        path.write_bytes(b"clean")
    again = Store(folders, most=9)
    again.clear_temporary()
    again.tidy()
    assert [one for one in left if one.exists()] == []
    assert file.exists() and (store.incoming / waits).exists()


def test_what_is_being_written_is_left(folders: Folders, tmp_path: Path) -> None:
    store = Store(folders, most=9)
    job = sent(store, tmp_path, b"one")
    (task,) = store._queue.pending(9)
    store._queue.begin(task, [], Settings())
    made = store.output / f"{job}.png"
    made.write_bytes(b"visible, but not in the journal yet")
    store.tidy()
    assert made.exists() and not store.forget(job)
    entry = store.entry(job)
    assert entry is not None and entry.state is State.WORKING


def test_a_photo_that_cannot_be_kept_is_said_so(folders: Folders, tmp_path: Path) -> None:
    store = Store(folders, most=9)
    store.temporary.rmdir()
    with pytest.raises(OutputError, match="cannot be kept"):
        sent(store, tmp_path, b"one")


def test_the_token_is_made_once_and_for_its_user_alone(folders: Folders) -> None:
    first = token_of(folders)
    first.path.chmod(0o644)
    assert token_of(folders) == first and len(first.value) >= 43
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    first.path.write_text("short\n")
    with pytest.raises(ConfigError, match="delete it"):
        token_of(folders)


def test_a_port_that_is_taken(folders: Folders) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match="--port"),
    ):
        Port(taken.getsockname()[1]).listen()


def test_a_socket_is_for_owner_and_group_and_a_file_stays(tmp_path: Path) -> None:
    place = SocketFile(tmp_path / "s")
    with place.listen() as one:
        one.listen()
        assert stat.S_IMODE(place.path.stat().st_mode) == 0o660
        with pytest.raises(ConfigError, match="another program listens"):
            place.listen()
    place.listen().close()  # a dead server's is replaced
    place.leave()
    place.path.write_text("somebody's")
    with pytest.raises(ConfigError, match="no socket"):
        place.listen()
    assert place.path.read_text() == "somebody's"


def test_on_a_socket(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "s"
    receiver.start("--socket", str(path))
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    body, kind = form(photo())
    sent = {"Content-Type": kind, "Authorization": f"Bearer {receiver.token}"}
    connection.request("POST", "/cloak", body, sent)
    answer = connection.getresponse()
    assert answer.status == 200 and len(answer.read()) > 100
    connection.close()
    assert receiver.stop() == 0 and not path.exists()


@pytest.fixture
def desk(folders: Folders) -> Desk:
    """Return one whose photos nobody does."""
    limits = Limits(seconds=0.05, at_once=2, waiting=3)
    return Desk(Store(folders, most=limits.waiting), folders, limits, lambda: None)


class Asker:
    """Asks the application itself, as `Receiver` asks the server."""

    def __init__(self, desk: Desk) -> None:
        self._client: Client = make_app(desk).test_client()

    def ask(self, method: str, path: str, body: bytes = b"", kind: str | None = None) -> Answer:
        told = self._client.open(path, method=method, data=body, content_type=kind)
        return Answer(told.status_code, dict(told.headers), told.data)

    def send(self, data: bytes, to: str) -> Answer:
        return conforms("POST", to, self.ask("POST", to, *form(data)))


class Recorder(Asker):
    """Asks through the guard, and notes what was answered."""

    def __init__(self, desk: Desk) -> None:
        access = ByHeader("t" * 20, "a file")
        guarded = Guard(make_app(desk), access=access, hosts=["localhost"], worded=refused)
        self._client = Client(guarded)
        self.met: set[tuple[str, str, str]] = set()

    def note(self, method: str, path: str, job: str = "", body: bytes = b"", **sent: str) -> Answer:
        """Ask for a described path; the body is a photo's."""
        data, kind = form(body) if body else (b"", "")
        headers = {"Authorization": f"Bearer {'t' * 20}"} | sent
        told = self._client.open(
            path.replace("{job}", job),
            method=method,
            data=data,
            content_type=kind or None,
            headers=headers,
        )
        answer = Answer(told.status_code, dict(told.headers), told.data)
        self.met.add((method, path, str(answer.status)))
        return conforms(method, path, answer)


def test_everything_that_is_described_is_answered_somewhere(desk: Desk) -> None:
    described = {
        (method.upper(), path, status)
        for path, operations in DESCRIBED["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
        for status in operation["responses"]
    }
    asks, store = Recorder(desk), desk.store
    for method, path in {one[:2] for one in described}:
        asks.note(method, path, "0" * 32)  # 400, 404
        asks.note(method, path, "0" * 32, Authorization="")
        asks.note(method, path, "0" * 32, Origin="http://localhost")
    photos = {"one": b"cloaked", "two": None, "three": b"lost"}
    jobs = {name: asks.note("POST", "/jobs", body=name.encode()).json["job"] for name in photos}
    asks.note("POST", "/jobs", body=b"four")
    for name, made in photos.items():
        asks.note("POST", "/cloak", body=name.encode())
        asks.note("GET", "/jobs/{job}/file", jobs[name])
        finish(store, jobs[name], made)
        asks.note("POST", "/cloak", body=name.encode())
        (store.output / f"{jobs['three']}.png").unlink(missing_ok=True)
        asks.note("GET", "/jobs/{job}/file", jobs[name])
        asks.note("GET", "/jobs/{job}", jobs[name])
    asks.note("DELETE", "/jobs/{job}", jobs["one"])
    in_hand = asks.note("POST", "/jobs", body=b"five").json["job"]
    (task,) = store._queue.pending(9)
    store._queue.begin(task, [], Settings())
    asks.note("DELETE", "/jobs/{job}", in_hand)
    asks.note("GET", "/openapi.json")
    # The server says 413 before the application (`test_too_large_a_request_is_refused_…`), and a
    # file that is lost between its outcome and its answer is nothing that a test can bring about.
    elsewhere = {("POST", one, "413") for one in ("/cloak", "/jobs")} | {("POST", "/cloak", "410")}
    assert described - asks.met == elsewhere


def test_a_photo_that_takes_too_long_and_too_many(desk: Desk) -> None:
    asker = Asker(desk)
    late = asker.send(b"one", "/cloak")
    assert late.status == 503 and late.headers["Retry-After"] and late.json["job"]
    assert asker.send(b"one", "/cloak").json["job"] == late.json["job"], "it is the same job"
    assert [asker.send(b"%d" % one, "/jobs").status for one in range(3)] == [202, 202, 503]
    assert asker.send(b"one", "/jobs").status == 202, "what waits already may be sent again"
    for _ in range(2):
        assert desk.places.acquire(blocking=False)
    busy = asker.send(b"one", "/cloak")
    assert busy.status == 503 and "/jobs" in busy.json["remedy"]


def test_a_place_is_given_back_whatever_happens(desk: Desk) -> None:
    asker = Asker(desk)
    for _ in range(5):
        assert asker.ask("POST", "/cloak").status == 400
        assert asker.send(b"one", "/cloak").status == 503
    assert desk.places.acquire(blocking=False) and desk.places.acquire(blocking=False)


def test_what_is_not_over_has_no_file_and_what_is_in_hand_stays(desk: Desk) -> None:
    asker = Asker(desk)
    job = asker.send(b"one", "/jobs").json["job"]
    file = asker.ask("GET", f"/jobs/{job}/file")
    assert conforms("GET", "/jobs/{job}/file", file).status == 409
    (task,) = desk.store._queue.pending(9)
    desk.store._queue.begin(task, [], Settings())
    assert conforms("DELETE", "/jobs/{job}", asker.ask("DELETE", f"/jobs/{job}")).status == 409
    assert (desk.store.incoming / job).exists()


def test_what_all_wait_for_is_told(desk: Desk) -> None:
    asker = Asker(desk)
    job = asker.send(b"one", "/jobs").json["job"]
    desk.store._queue.sign_on(())
    desk.store._queue.say("the disk is full")
    told = conforms("GET", "/jobs/{job}", asker.ask("GET", f"/jobs/{job}")).json
    assert (told["state"], told["waits_for"]) == ("pending", "the disk is full")


def test_who_waits_hears_of_the_outcome_and_of_the_end(folders: Folders, tmp_path: Path) -> None:
    for over in (True, False):
        store = Store(folders, most=9)
        desk = Desk(store, folders, Limits(seconds=HUNG), lambda: None)
        job = sent(store, tmp_path, b"%d" % over)
        heard: list[bool] = []

        def wait(desk: Desk = desk, job: str = job, heard: list[bool] = heard) -> None:
            entry = desk.wait(job)
            heard.append(entry is not None and entry.over)

        waiting = threading.Thread(target=wait)
        waiting.start()
        if over:
            finish(store, job, b"cloaked")
            desk.told(job)
        else:
            desk.close()
        waiting.join(HUNG)
        assert heard == [over]


def test_a_mistake_of_ours_is_no_page_of_html(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(desk.store, "take", lambda *_: 1 / 0)
    told = Asker(desk).ask("POST", "/jobs", *form(b"one"))
    assert told.status == 500 and told.json["detail"] == "unexpected ZeroDivisionError"
