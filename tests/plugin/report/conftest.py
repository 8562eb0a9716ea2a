"""A way to make a report."""

from pathlib import Path
from typing import Any

import pytest

from photocloak.plugin.main import run
from tests.plugin.html.test_html import Reader
from tests.plugin.report.made import Make, write_run


@pytest.fixture
def make(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Make:
    """Return a way to make a report: (exit code, page, stderr)."""

    def call(*rows: dict[str, Any], options: tuple[object, ...] = ()) -> tuple[int, Reader, str]:
        written = write_run(tmp_path / "run.jsonl", *rows)
        code = run(["report", str(written), *map(str, options)])
        out, err = capsys.readouterr()
        shown = Path(out.strip()).read_text("utf-8") if out else ""
        return code, Reader(shown), err

    return call
