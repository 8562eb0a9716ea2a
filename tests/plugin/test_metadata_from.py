"""`--metadata-from` belongs to one photo each, or to none; what cannot be read fails that photo."""

import json
from pathlib import Path

import pytest

from photocloak.plugin.main import run
from tests.plugin.fakes import write_photo


@pytest.mark.parametrize("inputs", [["a.jpg", "b.jpg"], ["."]])
def test_once_for_each_photo(
    tmp_path: Path, inputs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    photos = [str(write_photo(tmp_path / name, 60, 80)) for name in ("a.jpg", "b.jpg")]
    named = [str(tmp_path / name) for name in inputs]
    assert run(["cloak", *named, "-o", str(tmp_path / "out"), "--metadata-from", photos[0]]) == 2
    assert "once for each INPUT" in capsys.readouterr().err


def test_a_source_that_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, out = write_photo(tmp_path / "a.jpg", 60, 80), tmp_path / "out"
    source = tmp_path / "gone.jpg"
    command = ["cloak", str(photo), "-o", str(out), "--metadata-from", str(source), "--json"]
    assert run([*command, "--no-face", "copy"]) == 4
    assert str(source) in json.loads(capsys.readouterr().out)["reason"]
    assert not out.exists()
