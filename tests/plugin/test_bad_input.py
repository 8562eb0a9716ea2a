"""Bad input and bad destinations, through the installed program and the real models.

The photos that come through have no face, so that no run waits for a cloak.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak.plugin.main import run
from tests.plugin.fakes import write_photo

PROGRAM = Path(sys.executable).with_name("photocloak")

Result = tuple[int, dict[str, dict[str, Any]], str]


def photocloak(*arguments: object, below: Sequence[object] = ()) -> Result:
    """Run the program: (exit code, outcome by file name, stderr).

    Args:
        arguments: of the program.
        below: a program that runs it, with its arguments.

    """
    command = [str(one) for one in (*below, PROGRAM, *arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert "Traceback" not in done.stderr
    return done.returncode, {Path(row["source"]).name: row for row in rows}, done.stderr


def without_roots_privilege() -> Sequence[str]:
    """Return what makes file permissions hold for root, too."""
    if os.geteuid() != 0:
        return ()
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a photo without a face, of about 300 kB."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    path = tmp_path / "photo.png"
    Pillow.fromarray(noise).save(path)
    return path


def test_each_bad_file_is_an_outcome_and_the_batch_goes_on(tmp_path: Path, photo: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    (album / "empty.jpg").write_bytes(b"")
    whole = write_photo(tmp_path / "whole.jpg", 400, 600).read_bytes()
    (album / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (album / "header.jpg").write_bytes(whole[:200])
    (album / "text.jpg").write_text("Dear diary,\n" * 100)
    Pillow.new("RGB", (1, 1)).save(album / "pixel.png")
    Pillow.new("RGB", (10_000, 10_000), (90, 120, 150)).save(album / "huge.jpg")
    (album / "secret.jpg").write_bytes(whole)
    (album / "secret.jpg").chmod(0)
    shutil.copy(photo, album / "whole.png")
    os.mkfifo(tmp_path / "pipe.jpg")
    code, rows, _ = photocloak(
        "cloak",
        album,
        *(tmp_path / "pipe.jpg", tmp_path / "gone.jpg", tmp_path / "unknown.gif"),
        *("-o", tmp_path / "out", "--no-face", "copy", "--json"),
        below=without_roots_privilege(),
    )
    failed = {name: row["reason"] for name, row in rows.items() if row["status"] == "failed"}
    said = {
        "empty.jpg": "is empty",
        "header.jpg": "",
        "text.jpg": "text",
        "truncated.jpg": "",
        "secret.jpg": "Permission denied",
        "pipe.jpg": "not a file",
        "gone.jpg": "No such file",
        "unknown.gif": "No such file",
    }
    assert failed.keys() == said.keys()
    for name, reason in failed.items():
        assert reason.count("\n") == 0 and name in reason and said[name] in reason
    copied = {name for name, row in rows.items() if row["status"] == "no_face"}
    assert copied == {"huge.jpg", "pixel.png", "whole.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == copied
    assert code == 9


@pytest.mark.parametrize("name", ["empty.jpg", "text.jpg"])
def test_the_exit_code_of_a_single_bad_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"" if name == "empty.jpg" else b"Dear diary")
    code, rows, err = photocloak("cloak", tmp_path / name, "-o", tmp_path / "out", "--json")
    assert (code, rows[name]["output"]) == (4, None) and name in err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_may_not_be_written_to(tmp_path: Path, photo: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o555)
    code, rows, err = photocloak(
        *("cloak", photo, "-o", tmp_path / "out" / "sub", "--no-face", "copy", "--json"),
        below=without_roots_privilege(),
    )
    assert (code, rows) == (7, {}), "it is told before any photo is looked at"
    assert err.count("\n") == 1 and "may not be written to" in err


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, photo: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    options = ["cloak", photo, "-o", out, "--no-face", "copy", "--json"]
    alone = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    unshare = ["unshare", *alone]
    tried = [*unshare, "mount", "-t", "tmpfs", "none", str(out)]  # unmounted with the namespace
    if subprocess.run(tried, check=False, capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here (a container, or no user namespaces)")
    mount = f'mount -t tmpfs -o size=64k none "{out}"'
    script = f'{mount} && "$@"; code=$?; [ -z "$(ls -A "{out}")" ] && exit $code'
    code, rows, _ = photocloak(*options, below=[*unshare, "sh", "-c", script, "sh"])
    assert code == 7 and "the disk is full" in rows["photo.png"]["reason"]


def test_a_data_folder_that_cannot_be_used(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    code, rows, err = photocloak("cloak", photo, "-o", tmp_path / "out", "--json")
    assert (code, rows) == (7, {}), "it is told before any photo is looked at"
    assert err.count("\n") == 1 and "XDG_DATA_HOME" in err


def test_a_damaged_or_newer_database_is_named(tmp_path: Path, photo: Path) -> None:
    database = Path(os.environ["XDG_DATA_HOME"]) / "photocloak" / "photocloak.db"
    database.parent.mkdir(parents=True)
    database.write_bytes(b"garbage " * 1000)
    code, rows, err = photocloak("cloak", photo, "-o", tmp_path / "out", "--json")
    assert (code, rows) == (3, {}), "it is told before any photo is looked at"
    assert err.count("\n") == 1 and "is damaged" in err
    assert run(["people", "list"]) == 3
    assert run(["doctor"]) == 3
