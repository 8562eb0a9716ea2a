"""The rule that keeps figures honest: what is kept for release figures is logged when touched."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.evaluation.protocol import Third
from photocloak.plugin.evaluation.version import commit


def require_log(log: Path | None, trackers: Path | None, thirds: Sequence[Third]) -> None:
    """Raise ConfigError where strangers' models or the sealed third would be used unlogged."""
    touched = ["--trackers"] * (trackers is not None) + ["the sealed third"] * ("sealed" in thirds)
    if touched and log is None:
        raise ConfigError(
            f"{' and '.join(touched)}: only for release figures, since whoever looks at them while "
            "choosing constants tunes to them. While developing, use --leave-out on the "
            "development third; for a release, name the log with --release FILE."
        )


def write_log(log: Path, command: str, trackers: Sequence[str], thirds: Sequence[Third]) -> None:
    """Add a line to the log, before anything is measured."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    named = ", ".join(trackers) or "none of strangers"
    line = f"- {now}, commit {commit()}: `{command}`; {', '.join(thirds)}; trackers: {named}\n"
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise OutputError(f"{log}: the log cannot be written ({error.strerror}).") from error
