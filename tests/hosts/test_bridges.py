"""Installing puts what it says, uninstalling takes away exactly that, nothing else is touched."""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photocloak.core import ConfigError, OutputError
from photocloak.plugin import Folders
from photocloak.plugin.bridges import NAMES, load_bridge, placing
from photocloak.plugin.bridges.base import Bridge, File, Line, Part, install, state, uninstall
from photocloak.plugin.bridges.record import Record
from photocloak.plugin.main import run

RC = b"one\nrequire 'old'"


class Example(Bridge):
    """A script in two folders that need not be there, and a line in the user's own file."""

    name, title = "example", "an example"

    def __init__(self, place: Path, script: bytes = b"ours", line: str = "require 'ours'") -> None:
        self.script, self.rc = place / "lua" / "deep" / "ours.lua", place / "rc"
        self.parts: Mapping[Path, Part] = {
            self.script: File(script, executable=True),
            self.rc: Line(line),
        }

    def files(self) -> Mapping[Path, Part]:
        return self.parts

    def probe(self) -> str:
        return "live"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "host"
    place.mkdir()
    return place


def tree(place: Path) -> dict[str, bytes | None]:
    """Return everything below a folder: contents of files, None for folders."""
    return {
        str(path.relative_to(place)): path.read_bytes() if path.is_file() else None
        for path in place.rglob("*")
    }


@pytest.mark.parametrize("rc", [None, b"", b"one\n", RC, b"\xff\xfe\r\nx\r\n"])
def test_there_and_back(place: Path, folders: Folders, rc: bytes | None) -> None:
    bridge = Example(place)
    if rc is not None:
        bridge.rc.write_bytes(rc)
        bridge.rc.chmod(0o640)
    before = tree(place)
    assert "not installed" in state(bridge, folders)
    change = install(bridge, folders)
    assert set(change.done) == {bridge.script, bridge.rc}
    assert bridge.script.read_bytes() == b"ours"
    assert bridge.script.stat().st_mode & stat.S_IXUSR
    assert bridge.rc.read_bytes().startswith(rc or b"")
    assert bridge.rc.read_bytes().endswith(b"require 'ours'\n")
    assert state(bridge, folders) == "live"
    install(bridge, folders)  # again
    if rc is not None:
        assert stat.S_IMODE(bridge.rc.stat().st_mode) == 0o640
    uninstall(bridge, folders)
    assert tree(place) == before
    assert not Record(folders).load(bridge.name)


def test_a_foreign_file_stops_everything(place: Path, folders: Folders) -> None:
    bridge = Example(place)
    bridge.script.parent.mkdir(parents=True)
    bridge.script.write_bytes(b"somebody else's")
    before = tree(place)
    with pytest.raises(OutputError, match=r"ours\.lua: is not photocloak's"):
        install(bridge, folders)
    assert tree(place) == before


def test_what_was_there_already_is_not_taken_away(place: Path, folders: Folders) -> None:
    bridge = Example(place)
    bridge.script.parent.mkdir(parents=True)
    bridge.script.write_bytes(b"ours")
    bridge.rc.write_bytes(b"require 'ours'\n")
    before = tree(place)
    assert not install(bridge, folders).done
    uninstall(bridge, folders)
    assert tree(place) == before


def test_what_the_user_changed_stays(place: Path, folders: Folders) -> None:
    bridge = Example(place)
    install(bridge, folders)
    bridge.script.write_bytes(b"ours, and mine")
    assert "was changed since" in state(bridge, folders)
    with pytest.raises(OutputError, match="was changed since"):
        install(bridge, folders)
    change = uninstall(bridge, folders)
    assert (set(change.done), set(change.left)) == ({bridge.rc}, {bridge.script})
    assert bridge.script.read_bytes() == b"ours, and mine"
    bridge.script.write_bytes(b"ours")  # undone: now it may go
    assert set(uninstall(bridge, folders).done) == {bridge.script}


def test_the_users_later_lines_stay(place: Path, folders: Folders) -> None:
    bridge = Example(place)
    bridge.rc.write_bytes(RC)
    install(bridge, folders)
    bridge.rc.write_bytes(b"-- new\n" + bridge.rc.read_bytes() + b"three\n")
    uninstall(bridge, folders)
    assert bridge.rc.read_bytes() == b"-- new\n" + RC + b"\nthree\n"


def test_an_update_replaces_what_is_ours(place: Path, folders: Folders) -> None:
    old, new = Example(place), Example(place, b"newer", "require 'newer'")
    old.rc.write_bytes(RC)
    before = tree(place)
    install(old, folders)
    with pytest.raises(ConfigError, match="another version"):
        state(new, folders)
    install(new, folders)
    assert (new.script.read_bytes(), new.rc.read_bytes()) == (b"newer", RC + b"\nrequire 'newer'\n")
    uninstall(old, folders)  # whichever version does it
    assert tree(place) == before


def test_a_file_that_a_newer_version_has_no_more(place: Path, folders: Folders) -> None:
    old, new = Example(place), Example(place)
    new.parts = {new.rc: new.parts[new.rc]}
    install(old, folders)
    assert install(new, folders).done[old.script] == "took away"
    assert not old.script.exists()


def test_what_the_user_deleted_is_said_and_put_again(place: Path, folders: Folders) -> None:
    bridge = Example(place)
    install(bridge, folders)
    bridge.script.unlink()
    with pytest.raises(ConfigError, match="is gone"):
        state(bridge, folders)
    install(bridge, folders)
    assert state(bridge, folders) == "live"


def test_a_link_stays_a_link(place: Path, folders: Folders) -> None:
    """Many keep their settings in a repository and link to them."""
    bridge, real = Example(place), place / "dotfiles"
    real.write_bytes(RC)
    bridge.rc.symlink_to(real)
    install(bridge, folders)
    assert bridge.rc.is_symlink() and real.read_bytes() == RC + b"\nrequire 'ours'\n"
    uninstall(bridge, folders)
    assert bridge.rc.is_symlink() and real.read_bytes() == RC


def test_a_link_to_nowhere_is_somebodys(place: Path, folders: Folders) -> None:
    bridge = Example(place)
    bridge.rc.symlink_to(place / "nowhere")
    with pytest.raises(OutputError, match="rc: cannot be read"):
        install(bridge, folders)
    assert not bridge.script.exists()


def test_a_line_in_the_users_file_is_told_from_a_whole_file(
    place: Path, folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge = Example(place)
    assert install(bridge, folders).done == {bridge.script: "put", bridge.rc: "put"}
    assert uninstall(bridge, folders).done == dict.fromkeys(bridge.parts, "took away")
    bridge.rc.write_bytes(RC)
    assert install(bridge, folders).done[bridge.rc] == "added a line to"
    assert uninstall(bridge, folders).done == {
        bridge.script: "took away",
        bridge.rc: "took a line out of",
    }
    queue = Path(os.environ["XDG_DATA_HOME"], "digikam", "queue.xml")
    queue.parent.mkdir(parents=True)
    queue.write_text("<queuelist></queuelist>")
    assert run(["install", "digikam"]) == run(["uninstall", "digikam"]) == 0
    said = capsys.readouterr().err
    assert f"added an entry to {queue}\n" in said
    assert f"took an entry out of {queue}\n" in said


def test_the_record_goes_with_the_last_bridge(place: Path, folders: Folders) -> None:
    one, two = Example(place), load_bridge("service")
    record = folders.data / "bridges.json"
    install(one, folders)
    install(two, folders)
    uninstall(one, folders)
    assert record.is_file()
    uninstall(two, folders)
    assert not record.exists()


def test_two_bridges_share_a_file(place: Path, folders: Folders) -> None:
    one, two = Example(place), Example(place)
    two.name = "other"
    before = tree(place)
    install(one, folders)
    install(two, folders)
    uninstall(one, folders)
    assert two.script.exists() and state(two, folders) == "live"
    uninstall(two, folders)
    assert tree(place) == before


@pytest.mark.parametrize("put_before_dying", [0, 1])
def test_a_kill_while_installing_leaves_nothing_unknown(
    place: Path, folders: Folders, monkeypatch: pytest.MonkeyPatch, put_before_dying: int
) -> None:
    bridge = Example(place)
    bridge.rc.write_bytes(RC)
    before = tree(place)
    left = put_before_dying
    real = placing._write

    def write(path: Path, content: bytes, part: Part | None) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        real(path, content, part)

    monkeypatch.setattr(placing, "_write", write)
    with pytest.raises(KeyboardInterrupt):
        install(bridge, folders)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_DATA_HOME", str(folders.data.parent))
    uninstall(bridge, folders)
    after = tree(place)
    assert {name: after[name] for name in before} == before
    assert not [name for name, content in after.items() if content == b"ours"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.one_of(st.none(), st.binary(max_size=40), st.just(b"require 'ours'\n")),
    steps=st.lists(st.sampled_from("iu"), min_size=1, max_size=6),
)
def test_any_order_of_installing_and_uninstalling_ends_where_it_began(
    tmp_path_factory: pytest.TempPathFactory, before: bytes | None, steps: list[str]
) -> None:
    place = tmp_path_factory.mktemp("host")
    folders = Folders(place / "config", place / "data")
    bridge = Example(place / "host")
    bridge.rc.parent.mkdir()
    if before is not None:
        bridge.rc.write_bytes(before)
    there = tree(place / "host")
    for step in steps:
        install(bridge, folders) if step == "i" else uninstall(bridge, folders)
    uninstall(bridge, folders)
    assert tree(place / "host") == there


def test_the_record_is_private_and_a_damaged_one_is_named(place: Path, folders: Folders) -> None:
    bridge = Example(place)
    install(bridge, folders)
    record = folders.data / "bridges.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    record.write_text("{")
    with pytest.raises(ConfigError, match=r"bridges\.json: cannot be read"):
        uninstall(bridge, folders)
    assert bridge.script.exists()


@pytest.mark.parametrize("name", NAMES)
def test_every_bridge_goes_in_and_out_by_command(
    name: str, tmp_path: Path, folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Path(os.environ["HOME"])
    home.mkdir(parents=True, exist_ok=True)
    assert run(["install", name]) == 0
    put = {line.removeprefix("put ") for line in capsys.readouterr().err.splitlines()}
    assert {str(path) for path in load_bridge(name).files()} <= put
    with suppress(ConfigError):  # the host itself need not be here
        assert "not installed" not in state(load_bridge(name), folders)
    assert run(["uninstall", name]) == 0
    assert not [path for path in home.rglob("*") if path.is_file()]
    assert run(["uninstall", name]) == 0
    assert "was not installed" in capsys.readouterr().err


def test_the_doctor_tells_of_every_bridge(
    folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    (put,) = install(load_bridge("service"), folders).done
    put.unlink()
    assert run(["doctor", "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert {name for name in NAMES if "not installed" in report[name]["detail"]} == {
        name for name in NAMES if name != "service"
    }
    assert "photocloak.service: what photocloak put there is gone" in report["service"]["detail"]


@pytest.mark.parametrize("name", ["darktable", "digikam"])
def test_a_host_that_is_not_here_is_told_with_what_to_do(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert run(["install", name]) == 0
    err = capsys.readouterr().err
    assert f"sudo apt install {name}" in err
    assert "choose" not in err, "as if it were there"
