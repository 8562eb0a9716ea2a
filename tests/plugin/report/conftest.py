"""A way to make a report, and a real browser, headless, that tells what a page did."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from photocloak.plugin.main import run
from tests.plugin.html.test_html import Reader
from tests.plugin.report.made import Make, write_run


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Return a Chromium that logs the console and every request; or skip."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed (apt install chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for argument in (
        "--headless=new",
        "--window-size=1280,1000",
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    browser = webdriver.Chrome(options=options, service=Service(driver))
    browser.set_script_timeout(30)
    yield browser
    browser.quit()


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
