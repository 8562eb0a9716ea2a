"""The database fails with words, and all or nothing."""

import sqlite3
from pathlib import Path

import pytest

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.storage import database as module
from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.outputs import Outputs


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "data" / "photocloak.db")


def test_a_damaged_file_is_named(database: Database) -> None:
    database.path.parent.mkdir()
    database.path.write_bytes(b"this is not a database, " * 100)
    with pytest.raises(ConfigError, match=r"photocloak\.db: is damaged"):
        Outputs(database).knows("0")


def test_a_file_from_a_newer_photocloak_is_left_alone(database: Database) -> None:
    Outputs(database).announce("0", source=Path("a.jpg"), cloaked=True)
    with sqlite3.connect(database.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = database.path.read_bytes()
    with pytest.raises(ConfigError, match="newer photocloak"):
        Outputs(database).announce("1", source=Path("a.jpg"), cloaked=True)
    assert database.path.read_bytes() == before


def test_a_lock_that_is_held_too_long_is_named(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT", 0.1)
    with database.transaction(), pytest.raises(OutputError, match="locked"):
        Outputs(database).knows("0")


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OutputError, match="XDG_DATA_HOME"):
        Outputs(Database(tmp_path / "data" / "photocloak.db")).knows("0")


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        connection.execute("INSERT INTO people VALUES (1, NULL, 'nobody-0', 0, 0)")
        _ = 1 / 0
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (0,)


def test_outputs_are_known_by_hash_and_by_source(database: Database, tmp_path: Path) -> None:
    outputs, source = Outputs(database), tmp_path / "caf\udce9.jpg"
    assert not outputs.knows("0") and outputs.of(source) == set()
    outputs.announce("0", source=source, cloaked=True)
    outputs.announce("1", source=source, cloaked=False)
    assert outputs.knows("0") and not outputs.knows("1")
    assert outputs.of(source) == {"0", "1"}
    assert outputs.of(tmp_path / "b.jpg") == set()
