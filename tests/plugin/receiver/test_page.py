"""The commands of docs/howto/receive.md, as they are written there."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image as Pillow

from photocloak.plugin.commands.serve import PORT, serve
from photocloak.plugin.receiver.desk import Limits
from photocloak.plugin.receiver.store import KEPT
from tests.markdown import BY_NAME
from tests.plugin.fakes import BARE, PORTRAIT, write_photo
from tests.plugin.receiver.harness import Receiver

PAGE = BY_NAME["docs/howto/receive.md"]

SCRIPTS = [one for one in re.findall(r"```sh\n(.*?)```", PAGE, re.S) if "curl" in one]


def play(shared: Receiver, script: str, folder: Path) -> str:
    """Run a script of the page against a receiver of the tests."""
    script = script.replace("~/.local/share/photocloak", str(shared.data))
    script = script.replace("127.0.0.1:8377", f"127.0.0.1:{shared.port}")
    run = subprocess.run(
        ["sh", "-c", script], check=True, capture_output=True, text=True, cwd=folder
    )
    return run.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (apt install curl)")
@pytest.mark.parametrize(("number", "name"), [(0, "cloaked.jpg"), (1, "later.jpg")])
def test_what_the_page_says(shared: Receiver, number: int, name: str, tmp_path: Path) -> None:
    assert len(SCRIPTS) == 2
    write_photo(tmp_path / "a.jpg", *PORTRAIT, 70 + number)
    said = play(shared, SCRIPTS[number], tmp_path)
    with Pillow.open(tmp_path / name) as photo:
        assert photo.format == "JPEG" and not (tmp_path / "answer").exists()
    (tmp_path / name).unlink()
    if number:
        assert json.loads(said)["state"] == "done"
    write_photo(tmp_path / "a.jpg", *BARE, 70 + number)
    assert "no face was found" in play(shared, SCRIPTS[number], tmp_path)
    assert not (tmp_path / name).exists(), "what is held back is not taken for a photo"


def test_the_limits_on_the_page_are_the_real_ones() -> None:
    defaults = {one.name: one.default for one in serve.params}
    assert f"port {PORT};" in PAGE
    assert f"`--max-size` ({defaults['max_size']} MB)" in " ".join(PAGE.split())
    assert f"(`--max-waiting`, {defaults['max_waiting']})" in PAGE
    assert f"`--timeout` ({defaults['timeout']} s)" in " ".join(PAGE.split())
    assert f"or requests ({Limits(1).at_once})" in PAGE
    assert KEPT == 3600 and "stay for an hour" in PAGE


def test_what_we_did_not_try_says_so() -> None:
    for name in ("n8n", "Nextcloud Flow", "Immich", "PhotoPrism"):
        assert f"**{name}** (*not tested by us*)" in PAGE
    for name in ("nginx", "Caddy"):
        assert f"{name} (*not tested by us*):" in " ".join(PAGE.split())
