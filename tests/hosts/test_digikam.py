"""The script that digiKam runs, as digiKam runs it: nothing but a finished result is published.

digiKam (core/dplugins/bqm/custom/userscript/userscript.cpp) replaces `$INPUT`, then `$OUTPUT`, by
the path between double quotes, and runs `/bin/sh -c` (7.9), `/bin/bash -c` (8.6). Beforehand it has
made an empty file at `$OUTPUT`; afterwards, whatever the exit status, it publishes that file if it
is not empty. A status other than 0 makes 8.6 tell of one failure twice.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from photocloak.plugin.bridges.digikam import wrapper
from photocloak.plugin.pipeline import reasons
from photocloak.plugin.pipeline.job import FaceOutcome

CLOAKED = b"cloaked " * 100_000
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
NAMES = [
    "plain.jpg",
    "two words.jpg",
    "$HOME.jpg",
    "${HOME}$(touch pwned)`touch pwned`.jpg",
    '"; touch pwned; echo ".jpg',
    "it's.jpg",
    "back\\slash\\.jpg",
    "line\nbreak.jpg",
    "\n//photocloak//photo//\ntouch pwned\n.jpg".replace("/", "\N{DIVISION SLASH}"),
    "trailing.jpg\n",
    "-rf.jpg",
    "--help.jpg",
    "*.jpg",
    "Größe Łódź ŁÁÈ.jpg",
    "😀 𝄞.jpg",
    "%s%n.jpg",
    "#.jpg",
]


class Host:
    """digiKam around one photo, and a photocloak that a test writes."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.album = place / "album"
        self.album.mkdir()
        self.engine = place / 'it\'s a "photocloak" $HOME'
        self.seen = place / "seen"

    def photo(self, name: str, folder: Path | None = None) -> Path:
        path = (folder or self.album) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"the original")
        return path

    def write_engine(self, body: str) -> None:
        """Write a photocloak: $photo and $out are its photo and output folder."""
        self.engine.write_text(
            "#!/bin/sh\n"
            f"printf '%s\\0' \"$@\" >'{self.seen}'\n"
            'while [ "$1" != -o ]; do shift; done\n'
            'out=$2 photo=$4\n[ -f "$photo" ] || exit 4\nname=${photo##*/}\n' + body
        )
        self.engine.chmod(0o755)

    def start(self, photo: Path, shell: str = "sh") -> tuple[Path, subprocess.Popen[bytes]]:
        """Run the script as digiKam does; return the result's temporary name and the shell."""
        # digiKam joins the album, which ends in a slash, and "/BatchTool-…".
        suffix = photo.name.rpartition(".")[2]
        result = f"{photo.parent}//BatchTool-AbCdEf-12345678.digikamtempfile.{suffix}"
        Path(result).touch()
        script = wrapper(self.engine, "web").replace("$INPUT", f'"{photo}"')
        script = script.replace("$OUTPUT", f'"{result}"')
        command = [shell, "sh", "-c"] if shell == "busybox" else [shell, "-c"]
        path = f"{self.place / 'bin'}:{os.environ['PATH']}"
        process = subprocess.Popen(
            [*command, script],
            cwd=self.place,
            env=os.environ | {"PATH": path, "TAGSPATH": "People/Ada"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        return Path(result), process

    def run(self, photo: Path, shell: str = "sh") -> tuple[bytes, int, str]:
        """Run to the end; return what digiKam would publish, the status, and what was said."""
        result, process = self.start(photo, shell)
        said = process.communicate(timeout=60)[1].decode()
        return result.read_bytes(), process.returncode, said


@pytest.fixture
def host(tmp_path: Path) -> Host:
    host = Host(tmp_path)
    host.write_engine(
        'mkdir -p "$out"\nyes "cloaked " | tr -d "\\n" | head -c 800000 >"$out/$name"'
    )
    return host


GOOD = 'mkdir -p "$out"\nyes "cloaked " | tr -d "\\n" | head -c 800000 >"$out/$name"\n'


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_names(host: Host, name: str, shell: str) -> None:
    photo = host.photo(name)
    published, status, said = host.run(photo, shell)
    assert (published, status) == (CLOAKED, 0), said
    assert host.seen.read_bytes().split(b"\0")[-2] == os.fsencode(photo)
    assert photo.read_bytes() == b"the original"
    assert not list(host.place.rglob("pwned"))
    assert not list(photo.parent.glob(".photocloak*"))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("mark", ["photo", "result"])
def test_no_path_can_end_the_here_document(host: Host, mark: str, shell: str) -> None:
    """Folders with a line end in their name, and named as the last line is, as near as can be."""
    for album in (
        host.album / f"x\n/photocloak/{mark}",
        host.album / "x\n" / "photocloak" / mark / "\ntouch pwned\n",
        host.album / "photocloak\n",
    ):
        published, status, said = host.run(host.photo("a.jpg", album), shell)
        assert (published, status) == (CLOAKED, 0), said
    assert not list(host.place.rglob("pwned"))


def test_the_last_lines_are_no_paths(host: Host) -> None:
    """No name has a slash, and digiKam joins names by one slash, but for one place with two."""
    marks = re.findall(r"<<'(.*)'", wrapper(host.engine, "web"))
    assert len(marks) == 2 and all(mark.count("//") == 3 for mark in marks)


def test_a_name_that_digikam_itself_rewrites_is_held_back(host: Host) -> None:
    """`$OUTPUT` in the photo's name is replaced as well, so the photo cannot be found."""
    photo = host.photo("a $OUTPUT.jpg")
    published, status, _ = host.run(photo)
    assert (published, status) == (b"", 0)
    assert photo.read_bytes() == b"the original"


@pytest.mark.parametrize(
    "body",
    [
        "exit 1",
        "exit 127",
        GOOD + "exit 1",
        GOOD + "kill -KILL $$",
        "kill -KILL $$",
        "kill -SEGV $$",
        "exit 0",
        'mkdir -p "$out"; : >"$out/$name"',
        'mkdir -p "$out"; head -c 99 /dev/zero >"$out/$name.png"',
        'mkdir -p "$out"; cp "$photo" "$out/1.jpg"; cp "$photo" "$out/2.jpg"',
    ],
)
def test_whatever_goes_wrong_nothing_is_published(host: Host, body: str) -> None:
    host.write_engine(body)
    photo = host.photo("a.jpg")
    published, status, said = host.run(photo)
    assert (published, status) == (b"", 0)
    assert "photocloak: " in said
    assert photo.read_bytes() == b"the original"
    assert {path.name for path in host.album.iterdir()} == {
        "a.jpg",
        "BatchTool-AbCdEf-12345678.digikamtempfile.jpg",
    }


@pytest.mark.parametrize("left", ["nothing", "interpreter", "script", "library"])
def test_an_engine_that_an_update_has_broken(host: Host, left: str) -> None:
    """Debian 13 has no Python 3.11: of an environment the links, or the libraries, lead nowhere."""
    host.engine.unlink()
    if left == "interpreter":
        host.engine.write_text("#!/nowhere/python3.11\n")
        host.engine.chmod(0o755)
    elif left == "script":
        host.engine.write_text("#!/bin/sh\n")
        host.engine.chmod(0o644)
    elif left == "library":
        host.engine.write_text(f"#!{sys.executable} -IS\nfrom photocloak.plugin.main import main\n")
        host.engine.chmod(0o755)
    published, status, said = host.run(host.photo("a.jpg"))
    assert (published, status) == (b"", 0)
    assert "install it again, then run: photocloak install digikam" in said


def told(host: Host) -> Path:
    """Put a notify-send in place that writes its arguments to this file."""
    place, told = host.place / "bin", host.place / "told"
    place.mkdir()
    (place / "notify-send").write_text(f"#!/bin/sh\nprintf '%s|' \"$@\" >'{told}'\n")
    (place / "notify-send").chmod(0o755)
    return told


@pytest.mark.parametrize("shell", SHELLS)
def test_the_reason_reaches_the_desktop_and_stays(host: Host, shell: str) -> None:
    heard = told(host)
    host.write_engine('echo "no_face: $photo: <b>no face" >&2; exit 5')
    photo = host.photo("a & b.jpg")
    host.run(photo, shell)
    *options, headline, text, _ = heard.read_text().split("|")
    assert "--urgency=critical" in options and headline == "Held back: a & b.jpg"
    assert text.startswith("&lt;b&gt;no face\n")
    assert "Failed to process item" in text and "Review Cloaked Faces" in text


def face(accepting: str, mode: str) -> FaceOutcome:
    """Return a face that some of six recognisers accept."""
    known = dict.fromkeys("abcdef", 0.9)
    return FaceOutcome((1, 2, 3, 4), "Ada", 0.01, known, mode, accepting=tuple(accepting))


@pytest.mark.parametrize(
    "reason",
    [
        "no face was found; --no-face copy writes such photos as well.",
        reasons.too_weak([face("abcd", "subtle")], accept_weak=False),
        reasons.too_weak([face("abcdef", "strong")], accept_weak=False),
        "held back, since what may be a face at 1, 2 (3 × 4 pixels) cannot be cloaked; crop or "
        "cover it, have it made unrecognisable (--fallback), or say that it is none "
        "(--not-a-face).",
    ],
)
def test_no_reason_tells_of_options(host: Host, reason: str | None) -> None:
    """People at digiKam have no command line before them."""
    assert reason is not None and "--" in reason
    heard = told(host)
    photo = host.photo("a.jpg")
    host.write_engine(f"echo 'too_weak: {photo}: {reason}' >&2; exit 8")
    host.run(photo)
    text = heard.read_text().split("|")[-2]
    begin = reason.partition(";")[0]
    assert text.startswith(f"{begin}.\n") and "--" not in text


def test_the_time_that_is_up_is_told_in_words(host: Host) -> None:
    heard = told(host)
    (host.place / "bin" / "timeout").write_text("#!/bin/sh\nexit 124\n")
    (host.place / "bin" / "timeout").chmod(0o755)
    assert host.run(host.photo("a.jpg"))[:2] == (b"", 0)
    assert "Not cloaked: a.jpg" in heard.read_text() and "60 seconds" in heard.read_text()


def test_an_engine_that_hangs_is_ended_before_digikam_kills(host: Host) -> None:
    """With a clock that runs fifty times as fast: 55 s become 1.1 s."""
    place = host.place / "bin"
    place.mkdir()
    real = shutil.which("timeout")
    (place / "timeout").write_text(
        f'#!/bin/sh\n[ "$1 $2 $3" = "-k 2 55" ] || exit 9\nshift 3\nexec {real} -k 0.1 1.1 "$@"\n'
    )
    (place / "timeout").chmod(0o755)
    host.write_engine(f"trap '' TERM\n{GOOD}sleep 30")
    photo = host.photo("a.jpg")
    began = time.monotonic()
    published, status, said = host.run(photo)
    assert (published, status) == (b"", 0)
    assert time.monotonic() - began < 10
    assert "it was ended, for want of" in said
    assert b"--deadline\x0050\0" in host.seen.read_bytes()


def test_a_kill_at_any_time_publishes_all_or_nothing(host: Host) -> None:
    """digiKam kills only the shell; what the shell has started goes on for a while."""
    host.write_engine(GOOD + "sleep 0.02")
    photo = host.photo("a.jpg")
    seen = set()
    for step in range(40):
        result, process = host.start(photo)
        time.sleep(step * 0.0025)
        process.kill()
        process.communicate()
        published = result.read_bytes()  # at once, as digiKam does
        seen.add(len(published))
        assert published in (b"", CLOAKED)
        with_rest = end_group(process.pid, result)
        assert with_rest in (b"", CLOAKED)
    assert photo.read_bytes() == b"the original"
    assert 0 in seen


def test_the_result_appears_at_once(host: Host) -> None:
    """So that digiKam, which looks right after its kill, never finds half of one."""
    size = 100_000_000
    host.write_engine(f'mkdir -p "$out"; head -c {size} /dev/zero >"$out/$name"')
    result, process = host.start(host.photo("a.jpg"))
    seen = set()
    while process.poll() is None:
        seen.add(result.stat().st_size)
    seen.add(result.stat().st_size)
    process.communicate()
    assert seen == {0, size}


def end_group(group: int, result: Path) -> bytes:
    """Give the rest of the group a moment, end it, and return what lies there then."""
    time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    return result.read_bytes()


def test_what_a_kill_left_is_swept_later(host: Host) -> None:
    left = host.album / ".photocloak-digikam-12345678"
    fresh = host.album / ".photocloak-digikam-abcdefgh"
    for place in (left, fresh):
        place.mkdir()
        (place / "a.jpg").write_bytes(CLOAKED)
    old = time.time() - 3600
    os.utime(left, (old, old))
    host.run(host.photo("a.jpg"))
    assert fresh.exists() and not left.exists()


def test_the_kind_of_file_must_be_what_digikam_expects(host: Host) -> None:
    host.write_engine('mkdir -p "$out"; head -c 99 /dev/zero >"$out/a.jpeg"')
    assert host.run(host.photo("a.JPG"))[1] == 0
    published, status, said = host.run(host.photo("a.png"))
    assert (published, status) == (b"", 0)
    assert "file type" in said
