"""Whatever the documents, and the comments in the code, point to is there."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.markdown import BY_NAME, ROOT, anchors, code, links

FOLDERS = (
    "benchmarks", "cloak_engine", "docs", "exporters", "manifests", "plugin", "scripts", "tests",
)  # fmt: skip
TEXTS = {".py", ".toml", ".lua", ".sh", ".txt", ".service"}

PATH = re.compile(r"(?<![\w./~*-])[\w.-]+(?:/[\w.-]+)*\.(?:py|toml|lua|sh|md)(?![\w/])")
"""A path of a file of ours; `~/…`, `/…` and names with stars are somebody else's or many."""

DOTTED = re.compile(r"(?<![\w.-])photocloak(?:\.[A-Za-z_]\w*)+")

USERS = {"settings.toml", "club.toml", "sigal.conf.py"}
"""Files that the reader writes."""

LOGGED = re.compile(r"^- \d{4}-\d\d-\d\d .*$", re.MULTILINE)
"""A line of a log: it says what was run then, with the paths of then."""


@cache
def tree() -> frozenset[str]:
    """Return every file there is, each by all ends of its path."""
    files = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in FOLDERS:
        files += [path for path in (ROOT / folder).rglob("*") if path.suffix and path.is_file()]
    parts = [path.relative_to(ROOT).parts for path in files]
    return frozenset("/".join(one[start:]) for one in parts for start in range(len(one)))


@pytest.mark.parametrize("page", BY_NAME)
def test_links_and_their_anchors_lead_somewhere(page: str) -> None:
    for link in links(BY_NAME[page]):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent.joinpath(path) if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert target.resolve().is_relative_to(ROOT), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), f"{page}: {link}"


@pytest.mark.parametrize("page", sorted(BY_NAME.keys() - {"CHANGELOG.md"}))
def test_files_that_a_page_names_are_there(page: str) -> None:
    for text in code(LOGGED.sub("", BY_NAME[page])):
        for path in PATH.findall(text):
            if "NAME" not in path:
                assert path in tree() | USERS, f"{page}: {path}"


@pytest.mark.parametrize("page", BY_NAME)
def test_modules_that_a_page_names_are_there(page: str) -> None:
    for name in DOTTED.findall(BY_NAME[page]):
        module, _, last = name.rpartition(".")
        if name.endswith((".db", ".desktop", ".service", ".nemo_action", ".lua")):
            continue  # a file
        if found(name):
            continue
        assert found(module), f"{page}: {name}"
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        assert re.search(rf"\b{last}\b", Path(spec.origin).read_text("utf-8")), f"{page}: {name}"


def found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def test_documents_that_the_code_names_are_there() -> None:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in TEXTS and path.is_file():
                text = path.read_text("utf-8")
                for name in re.findall(r"(?<![\w/.])docs/[\w/-]+\.md", text):
                    assert (ROOT / name).is_file(), f"{path}: {name}"


def test_every_page_is_reached_from_the_index() -> None:
    """By links alone, from docs/index.md."""
    reached, todo = set[str](), ["docs/index.md"]
    while todo:
        page = todo.pop()
        if page in reached or page not in BY_NAME:
            continue
        reached.add(page)
        for link in links(BY_NAME[page]):
            target = (ROOT / page).parent.joinpath(link.partition("#")[0]).resolve()
            todo.append(target.relative_to(ROOT).as_posix())
    assert {page for page in BY_NAME if page.startswith("docs/")} <= reached


def test_what_is_looked_for_is_found() -> None:
    """The tests above would pass if they found nothing."""
    assert anchors("# A `b` c.d\n## A `b` c.d\n") == {"a-b-cd", "a-b-cd-1"}
    assert list(links("[a](b.md#c) `[x](y)` [d](https://e.org)")) == ["b.md#c"]
    assert "formats/base.py" in tree()
    assert "formats/nowhere.py" not in tree()
    assert sum(len(list(links(text))) for text in BY_NAME.values()) > 60
