"""The picture of who may import whom is true, and nothing is missing from it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.markdown import BY_NAME, ROOT

PARTS = {
    "plugin": ROOT / "plugin/photocloak/plugin",
    "engine": ROOT / "cloak_engine/photocloak/engine",
    "exporters": ROOT / "exporters/photocloak/exporters",
}


def picture() -> dict[str, int]:
    """Return the line of the picture in which each name stands."""
    (block,) = re.findall(r"^```\n(plugin .*?)^```", BY_NAME["docs/architecture.md"], re.S | re.M)
    return {
        name: number
        for number, line in enumerate(block.splitlines())
        for name in re.findall(r"\w+", re.sub(r"^\w+", "", line))
    }


def rooms(part: Path) -> set[str]:
    """Return the folders and modules right below a part."""
    there = {path.stem for path in part.iterdir() if path.suffix == ".py"}
    folders = {path.name for path in part.iterdir() if (path / "__init__.py").is_file()}
    return (there | folders) - {"__init__"}


def imports(part: str, path: Path) -> Iterator[str]:
    """Give the rooms of its own part that a module imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{one.name}" for one in node.names]
        for name in names:
            if name.startswith(f"photocloak.{part}."):
                yield name.split(".")[2]


@pytest.mark.parametrize("part", PARTS)
def test_every_room_is_in_the_picture(part: str) -> None:
    assert rooms(PARTS[part]) <= picture().keys()


@pytest.mark.parametrize("part", PARTS)
def test_imports_go_down(part: str) -> None:
    line, there = picture(), rooms(PARTS[part])
    seen = 0
    for path in PARTS[part].rglob("*.py"):
        own = path.relative_to(PARTS[part]).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for other in there.intersection(imports(part, path)) - {own}:
            seen += 1
            assert line[own] < line[other], f"{path} imports {other}, which stands above {own}"
    assert seen > 20
