"""Cached values outlive a better explanation, and nothing else."""

from pathlib import Path

import pytest

from photocloak.plugin.evaluation import cloaks, observer, trackers, version

CODE = '''"""What it does."""

from typing import TYPE_CHECKING

from photocloak.other import helper

if TYPE_CHECKING:
    from photocloak.typing import Hint


def double(x: "Hint") -> int:
    """Return twice x."""
    return 2 * helper(x)  # exactly
'''
HELPER = "def helper(x):\n    return x\n"


def hashed(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, helper: str = HELPER) -> str:
    files = {"photocloak.main": "main.py", "photocloak.other": "other.py"}
    (folder / "main.py").write_text(code)
    (folder / "other.py").write_text(helper)
    places = {name: folder / file for name, file in files.items()}
    monkeypatch.setattr(version, "_source", places.get)
    version.code_version.cache_clear()
    try:
        return version.code_version("photocloak.main")
    finally:
        version.code_version.cache_clear()


def test_only_what_computes_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hashed(tmp_path, monkeypatch, CODE)
    reworded = CODE.replace("What it does", "More words").replace("twice x", "x twice")
    reworded = reworded.replace("exactly", "sure").replace("photocloak.typing", "photocloak.types")
    assert hashed(tmp_path, monkeypatch, reworded) == first
    assert hashed(tmp_path, monkeypatch, CODE.replace("2 *", "3 *")) != first
    changed = HELPER.replace("return x", "return x + 1")
    assert hashed(tmp_path, monkeypatch, CODE, changed) != first, "what it imports counts, too"


def test_the_cloaker_is_part_of_the_products_version() -> None:
    found = version.code_version("photocloak.plugin.pipeline.pipeline")
    assert found != version.code_version("photocloak.engine.detection.detector")
    assert version._source("photocloak.engine.cloaker") is not None
    assert version._source("photocloak.engine.cloaker.Cloaker") is None


@pytest.mark.parametrize(
    "name", ["photocloak.plugin.not_there", "photocloak.engine.cloaker.Cloaker", "json"]
)
def test_a_name_that_is_no_module_of_ours_is_an_error(name: str) -> None:
    with pytest.raises(LookupError, match=f"{name} is no module of photocloak"):
        version.code_version("photocloak.engine.cloaker", name)


@pytest.mark.parametrize(
    ("codes", "matters"), [(cloaks.CODE, True), (observer.CODE, False), (trackers.CODE, False)]
)
def test_another_cloaker_needs_new_cloaks_but_no_new_look_at_clean_photos(
    codes: tuple[str, ...], matters: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version.code_version.__wrapped__(*codes)
    real = version._source
    other = tmp_path / "cloaker.py"
    other.write_text("GRAY = 7.0\n")
    monkeypatch.setattr(
        version, "_source", lambda name: other if name.endswith("engine.cloaker") else real(name)
    )
    assert (version.code_version.__wrapped__(*codes) != before) == matters
