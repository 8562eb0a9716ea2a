"""What a shell offers after TAB: modes, presets, people. Nothing heavy is loaded for it.

A mistake in a settings folder or a database must not end in the user's command line: whatever
cannot be read is not offered.
"""

from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from photocloak.core import manifest_root


def modes(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the modes, but for what is there to compare with."""
    import tomllib

    table = tomllib.loads((manifest_root() / "modes.toml").read_text("utf-8"))
    ours = [(name, row["summary"]) for name, row in table.items() if row["offered"]]
    return _fitting(begun, ours)


def presets(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the presets, shipped and the user's own, with their titles."""
    import platformdirs

    found: dict[str, str] = {}
    own = platformdirs.user_config_path("photocloak") / "presets"
    for folder in (manifest_root() / "presets", own):
        for path in sorted(folder.glob("*.toml")):
            found[path.stem] = _title(path)
    return _fitting(begun, sorted(found.items()))


def names(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the names of people who have one."""
    return _fitting(begun, [(name, "") for _, name in _people() if name])


def people(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer everybody by name or, who has none, by label."""
    return _fitting(begun, [(name or f"person-{number}", "") for number, name in _people()])


MODE = click.option(
    "--mode",
    metavar="MODE",
    shell_complete=modes,
    help="subtle, balanced (default) or strong.",
)
"""The option of every command that cloaks."""


def _fitting(begun: str, offered: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    low = begun.casefold()
    return [
        CompletionItem(name, help=meaning or None)
        for name, meaning in offered
        if name.casefold().startswith(low)
    ]


def _title(path: Path) -> str:
    import tomllib

    with suppress(OSError, ValueError):
        return str(tomllib.loads(path.read_text("utf-8")).get("title", ""))
    return ""


def _people() -> list[tuple[int, str | None]]:
    """Read the list of people without the stores, which would make or change the file."""
    import sqlite3

    import platformdirs

    path = platformdirs.user_data_path("photocloak") / "photocloak.db"
    with (
        suppress(sqlite3.Error, OSError),
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.2)) as database,
    ):
        return database.execute("SELECT id, name FROM people ORDER BY id").fetchall()
    return []
