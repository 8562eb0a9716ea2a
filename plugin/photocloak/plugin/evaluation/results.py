"""What is written: JSON with everything, CSV with the rows."""

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from photocloak.core import OutputError
from photocloak.engine.modes import load_mode
from photocloak.plugin.evaluation.run import Evaluation, ModeResult
from photocloak.plugin.evaluation.scoring import JUDGES, Row
from photocloak.plugin.evaluation.version import commit
from photocloak.plugin.evaluation.visibility import by_class
from photocloak.plugin.storage.folders import make_private


def as_json(found: Evaluation, command: str) -> dict[str, Any]:
    """Return everything as JSON values; photos are counted, not named."""
    people = found.identities
    return {
        "command": command,
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": str(found.plan.data),
        "thirds": list(found.plan.thirds),
        "leave_out": list(found.plan.leave_out),
        "protected": [who.name for who in people if who.protected],
        "others": [who.name for who in people if not who.protected],
        "train": found.plan.train,
        "test": found.plan.test,
        "trackers": {
            one.name: {"seen": one.seen, "threshold": found.thresholds[one.name]}
            for one in found.trackers
        },
        "modes": {one.name: _mode(one) for one in found.modes},
        "rows": [row.as_json() for row in found.rows],
    }


def _mode(result: ModeResult) -> dict[str, Any]:
    reasons = [one.status for one in result.held]
    return {
        "constants": asdict(load_mode(result.name)),
        "photos": len(result.photos),
        "held_back": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "seconds_per_face": result.seconds_per_face,
        "accepting": [list(names) for names in result.accepting],
        "change": by_class([change for _, change in result.changes]),
    }


def as_csv(rows: list[Row]) -> str:
    """Return the rows as CSV, a line a tracker and variant."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(_flat(rows[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(row) for row in rows)
    return buffer.getvalue()


def _flat(row: Row) -> dict[str, Any]:
    table = row.as_json()
    scores = {judge: table.pop(judge) for judge in JUDGES}
    for judge, score in scores.items():
        for key, value in score.items():
            if key != "by_identity":
                table[f"{judge}_{key}"] = round(value, 4)
    return table


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file for the user alone, over an earlier one."""
    path = make_private(folder) / name
    part = path.with_name(f".{name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error
    return path


def dump(values: Mapping[str, Any]) -> str:
    """Return JSON text; what is not a number becomes null."""
    return json.dumps(_finite(values), indent=1, ensure_ascii=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
