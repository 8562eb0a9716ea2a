"""Real darktable, with an engine that behaves as badly as it can: no photo gets out uncloaked.

The stand-in writes `cloaked` into what it writes, so a file without it is one that got out.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.hosts.darktable import Host, alive, lua, require_darktable, wait_for
from tests.plugin.fakes import write_photo

HOSTILE = [
    "a b.jpg",
    'it\'s "quoted" $HOME `id` $(id).jpg',
    "-o.jpg",
    "two\nlines.jpg",
    "Grüße 中文 😀.jpg",
    "semi;&|\\back.jpg",
]
REASONS = [
    'a "quoted" reason, \\ and \\\\ and \\n',
    "two\nlines\tand\u0001more",
    "Grüße 中文 😀 \\u0041",
    "half a pair: \udc80",
    "",
    None,
]
RUNNING = "drive.wait(function() return drive.job and drive.job.percent > 0 end)"
KILL = 'os.execute("kill -9 $PPID")'
FAILURES = {
    "fails": "settings.toml: is not valid",
    "crashes": "Segmentation fault",
    "killed": "photocloak was killed",
    "hangs": "showed no progress for 2 seconds",
    "stubborn": "showed no progress for 2 seconds",
    "lies": "photocloak ended with status 0",
    "missing": "photocloak cannot be started",
    "outdated": "then run: photocloak install darktable",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    require_darktable()
    return Host(tmp_path_factory.mktemp("darktable")).make()


@pytest.fixture(scope="module")
def originals(host: Host) -> dict[Path, bytes]:
    """Make the photos; among them two that lie where darktable exports to."""
    names = ["one.jpg", "two.jpg", *HOSTILE]
    paths = [host.root / "photos" / name for name in names]
    paths += [host.temporary / "original.jpg", host.temporary / "another.jpg"]
    paths += [host.root / "photos" / "another.jpg"]
    for number, path in enumerate(paths):
        write_photo(path, 60, 90, number)
    return {path: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def inodes(originals: dict[Path, bytes]) -> dict[Path, tuple[int, int]]:
    return {path: identity(path) for path in originals}


def identity(path: Path) -> tuple[int, int]:
    return path.stat().st_ino, path.stat().st_mtime_ns


@pytest.fixture(scope="module")
def said(
    host: Host, originals: dict[Path, bytes], inodes: dict[Path, tuple[int, int]]
) -> dict[str, str]:
    """Play everything in one darktable; return what the plugin said, by scenario."""
    photos, fake = host.root / "photos", host.fake()
    (host.root / "events").write_text("".join(json.dumps({"reason": r}) + "\n" for r in REASONS))
    hostile = [photos / name for name in HOSTILE]
    one, two = [photos / "one.jpg"], [photos / "one.jpg", photos / "two.jpg"]
    steps: list[str] = []

    def step(how: str, name: str, paths: list[Path], during: str = "nil", **values: object) -> None:
        behaviour = name.split(maxsplit=1)[0]
        values = {"program": fake, "folder": host.root / "out" / behaviour, "patience": 30} | values
        steps.append(f"drive.set({lua(values)})")
        steps.append(f"drive.{how}({lua(name)}, {lua(list(paths))}, {during})")

    for name in FAILURES:
        program = host.root / "nowhere" / "photocloak" if name == "missing" else fake
        patience = 2 if name in ("hangs", "stubborn") else 30
        step("export", name, one, program=program, patience=patience)
    step("select", "fails selected", one)
    mode = f"io.popen({lua(f'stat -c %a {host.runs} {host.runs}/run-*')}):read('a')"
    look = f"function() {RUNNING} drive.note('modes', {mode}) end"
    step("export", "half", two, look, patience=2)
    cancel = f"function() {RUNNING} drive.stop(drive.job) end"
    step("export", "cancelled", two, cancel)
    step("select", "cancelled selected", two, cancel)
    step("export", "hostile", hostile)
    step("select", "hostile selected", hostile)
    step("export", "original", [host.temporary / "original.jpg"])
    step("export", "another", [photos / "another.jpg"])
    tags = (
        "for _i, tag in ipairs(dt.tags.get_tags(drive.images({paths})[1])) do "
        'if tag.name:find("held back") then drive.note({name}, tag.name) end end'
    )
    steps.append('local dt = require "darktable"')
    step("export", "faceless", one, held_back="tag")
    steps.append(tags.format(paths=lua(list(one)), name='"tags before"'))
    step("select", "works", one, held_back="tag")
    steps.append('drive.note("tags after", "")')
    steps.append(tags.format(paths=lua(list(one)), name='"tags after"'))
    step("export", "faceless written", one, held_back="copy")
    steps.append('local events = require "photocloak/lib/events"')
    steps.append(f"local number = 0 for line in io.lines({lua(host.root / 'events')}) do")
    steps.append("number = number + 1")
    steps.append('drive.note("reason " .. number, events.parse(line).reason) end')
    said, status = host.run("\n".join(steps))
    assert status == 0, (host.root / "log").read_text(errors="replace")
    assert said["scenario"] == "done"
    return said


def written(host: Host, name: str) -> dict[str, bytes]:
    folder = host.root / "out" / name
    return {path.name: path.read_bytes() for path in folder.glob("*")} if folder.is_dir() else {}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_writes_nothing_and_says_why(host: Host, said: dict[str, str], name: str) -> None:
    assert written(host, name) == {}
    assert said[name].startswith("photocloak: 0 of 1 photos cloaked, 1 not written\none.jpg: ")
    assert FAILURES[name] in said[name]


def test_the_selection_fails_as_well(host: Host, said: dict[str, str]) -> None:
    assert FAILURES["fails"] in said["fails selected"]


def test_what_was_done_before_a_hang_stays_done(host: Host, said: dict[str, str]) -> None:
    assert list(written(host, "half")) == ["one.jpg"]
    assert said["half"].startswith("photocloak: 1 of 2 photos cloaked, 1 not written\ntwo.jpg: ")


@pytest.mark.parametrize("name", ["cancelled", "cancelled selected"])
def test_a_cancelled_job(host: Host, said: dict[str, str], name: str) -> None:
    assert written(host, "cancelled") == {}
    lines = said[name].splitlines()
    assert lines[1:] == ["one.jpg: cancelled", "two.jpg: cancelled"]


def test_no_process_is_left(host: Host, said: dict[str, str]) -> None:
    for notes in (host.root / "notes").iterdir():
        for line in notes.read_text().splitlines():
            pid = json.loads(line)["pid"]
            assert not alive(pid), notes.name


@pytest.mark.parametrize("name", ["hostile", "hostile selected"])
def test_hostile_names_arrive_as_they_are(host: Host, said: dict[str, str], name: str) -> None:
    assert said[name] == f"photocloak: {len(HOSTILE)} of {len(HOSTILE)} photos cloaked"
    assert set(written(host, "hostile")) == set(HOSTILE)


def test_everything_written_is_cloaked(host: Host, said: dict[str, str]) -> None:
    files = [path for path in (host.root / "out").rglob("*") if path.is_file()]
    assert len(files) > len(HOSTILE)
    assert all(path.read_bytes().startswith(b"cloaked \xff\xd8") for path in files)


@pytest.mark.parametrize("name", ["original", "another"])
def test_what_lies_in_the_temporary_folder_is_exported_and_kept(
    host: Host, said: dict[str, str], originals: dict[Path, bytes], name: str
) -> None:
    assert said[name] == "photocloak: 1 of 1 photos cloaked"
    path = host.temporary / f"{name}.jpg"
    assert path.read_bytes() == originals[path]


def test_originals_are_the_very_same_files(
    said: dict[str, str], originals: dict[Path, bytes], inodes: dict[Path, tuple[int, int]]
) -> None:
    assert {path: path.read_bytes() for path in originals} == originals
    assert {path: identity(path) for path in originals} == inodes


def test_nothing_is_left_anywhere(host: Host, said: dict[str, str]) -> None:
    assert host.leftovers() == []
    assert {path.name for path in host.temporary.iterdir()} == {"original.jpg", "another.jpg"}
    assert said["modes"].split() == ["700", "700"]
    assert not host.runs.exists()


def test_held_back_photos_can_be_tagged(said: dict[str, str]) -> None:
    assert said["faceless"].endswith("one.jpg: no face was found")
    assert said["tags before"] == "darktable|photocloak|held back"
    assert said["tags after"] == ""


def test_faceless_photos_can_be_written(host: Host, said: dict[str, str]) -> None:
    lines = (host.root / "notes" / "faceless").read_text().splitlines()
    asked = [json.loads(line)["arguments"] for line in lines]
    assert [one[one.index("--no-face") + 1] for one in asked] == ["hold", "copy"]
    assert said["faceless written"].endswith(", 1 without a face written")


def test_events_are_read_as_they_were_written(said: dict[str, str]) -> None:
    for number, reason in enumerate(REASONS, 1):
        expected = "nil" if reason is None else reason.replace("\udc80", "?")
        assert said[f"reason {number}"] == expected


@pytest.fixture
def single(tmp_path: Path) -> Iterator[Host]:
    require_darktable()
    yield Host(tmp_path / "host").make()


def test_destroyed_and_restarted(single: Host) -> None:
    """As lua-scripts' manager does it; the shortcut is gone in between."""
    photo = write_photo(single.root / "photos" / "one.jpg", 60, 90)
    values = {"program": single.fake(), "folder": single.root / "out" / "works"}
    said, status = single.run(
        'local dt, script = require "darktable", require "photocloak/cloaked_export"\n'
        'local function panel(name) drive.note(name, dt.gui.libs["photocloak"].visible) end\n'
        f"drive.set({lua(values)}) panel('before')\n"
        "script.destroy() dt.control.sleep(300) panel('destroyed')\n"
        "script.restart() dt.control.sleep(300) panel('restarted')\n"
        f"drive.select('works', {lua([photo])})",
        chosen=False,
    )
    assert (status, said["scenario"]) == (0, "done")
    assert said["works"] == "photocloak: 1 of 1 photos cloaked"
    names = ("before", "destroyed", "restarted")
    assert [said[name] for name in names] == ["true", "false", "true"]


def test_darktable_killed(single: Host) -> None:
    """As the engine works: it ends its work. As a file is sheltered: it comes back."""
    photo = write_photo(single.root / "photos" / "one.jpg", 60, 90)
    values = {"program": single.fake(), "folder": single.root / "out" / "slow"}
    during = f"function() {RUNNING} {KILL} end"
    single.run(f"drive.set({lua(values)}) drive.export('slow', {lua([photo])}, {during})")
    notes = single.root / "notes" / "slow"
    pid = json.loads(notes.read_text())["pid"]
    wait_for(lambda: not alive(pid))
    assert written(single, "slow") == {"one.jpg": b"cloaked \xff\xd8"}
    wait_for(lambda: single.leftovers() == [])
    original = write_photo(single.temporary / "original.jpg", 60, 90, 1)
    before = sha256(original.read_bytes()).hexdigest(), original.stat().st_ino
    single.run(
        f'local shelter = require "photocloak/lib/shelter" shelter.restore = function() {KILL} end '
        f"drive.set({lua(values)}) drive.export('sheltered', {lua([original])})"
    )
    assert (single.leftovers(), list(written(single, "slow"))) != ([], ["original.jpg"])
    single.run("drive.note('started', '')")
    assert (sha256(original.read_bytes()).hexdigest(), original.stat().st_ino) == before
    assert (single.leftovers(), sorted(written(single, "slow"))) == ([], ["one.jpg"])
    assert [path.name for path in single.temporary.iterdir()] == ["original.jpg"]
