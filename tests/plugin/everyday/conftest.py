"""The command line with fake extractors, bytes out and bytes in."""

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from photocloak.engine.modes import load_mode
from photocloak.plugin import Database, assembly
from photocloak.plugin.commands import running
from photocloak.plugin.main import run
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.rehearsal import Rehearsal
from photocloak.plugin.storage.database import Copy
from tests.plugin.everyday.saying import Cli, Said
from tests.plugin.fakes import make_engine
from tests.plugin.json_schema import conforms, kind_of
from tests.plugin.studio import FACES, decisions_of, write_album


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    """Return a way to run the command line with fake extractors."""
    engine = make_engine(FACES)
    monkeypatch.setattr(assembly, "load_engine", lambda *_: engine)
    monkeypatch.setattr(running, "ALBUM", 1000)  # the fakes are in this process alone
    monkeypatch.setattr(
        assembly, "open_decisions", lambda folders: decisions_of(engine, Database(folders.database))
    )
    monkeypatch.setattr(
        assembly,
        "open_rehearsal",
        lambda folders: decisions_of(engine, Copy(folders.database), Rehearsal),
    )
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=8))

    def call(*arguments: object, stdin: bytes = b"") -> Said:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            code = run([str(one) for one in arguments])
        out, err = capfdbinary.readouterr()
        said = Said(int(code), out, err.decode())
        if "--json" in arguments:
            for row in said.rows:
                conforms(kind_of([str(one) for one in arguments]), row)
        return said

    return call


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return write_album(tmp_path / "album")
