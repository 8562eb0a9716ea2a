"""The command itself, with the real models, on one photo."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from photocloak.core import manifest_root
from photocloak.engine.extractors import load_specs
from photocloak.plugin import Status
from photocloak.plugin.main import run
from tests.plugin.watch.harness import ROOT, Place


def test_a_real_photo_through_the_command_line(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "from photocloak.plugin.main import main; main()"
    command = [sys.executable, "-c", code, "watch", str(place.inbox), "-o", str(place.out)]
    with place.log.open("wb") as log:
        daemon = subprocess.Popen(
            [*command, "--mode", "subtle"],
            stderr=log,
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
    try:
        shutil.copy(manifest_root() / "demo" / "astronaut.png", place.inbox / "eileen.png")
        found = place.finished("eileen.png", within=240)["eileen.png"]
    finally:
        daemon.terminate()
        daemon.wait(60)
    assert (found.status, found.output) == (Status.CLOAKED, place.out / "eileen.png")
    assert (found.mode, found.preset) == ("subtle", "keep")
    assert set(found.faces[0]["similarity"]) == set(load_specs())
    assert daemon.returncode == 0
    run(["status", "--json"])
    assert json.loads(capsys.readouterr().out)["done"] == 1
