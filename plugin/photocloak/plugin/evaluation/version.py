"""Which code made something: a hash that changes when what is computed may change.

Comments, docstrings and what only a type checker imports do not count, so that a better
explanation does not throw hours of cached cloaks away.
"""

import ast
import hashlib
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


@cache
def code_version(*modules: str) -> str:
    """Return a hash of the code of `modules` and of everything of photocloak that they import.

    Raises LookupError for a name in `modules` that is no module of photocloak: left out, its code
    could change and cached values would still be taken for those of the new code.
    """
    for name in modules:
        if _source(name) is None:
            raise LookupError(
                f"{name} is no module of photocloak, but a cache key is to cover its code. "
                "Correct the name where code_version is called."
            )
    seen: dict[str, str] = {}
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name in seen or (path := _source(name)) is None:
            continue
        tree = _Essence().visit(ast.parse(path.read_text("utf-8")))
        seen[name] = ast.dump(tree)
        todo += _imported(tree)
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(f"{name}\0{seen[name]}\0".encode())
    return digest.hexdigest()


def commit() -> str:
    """Return the commit of the running code, `+` for uncommitted changes, else its version."""
    here = Path(__file__).parent
    try:
        head = _git(here, "rev-parse", "--short=12", "HEAD")
        changed = _git(here, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return f"photocloak {version('photocloak')}"
    return head + "+" * bool(changed)


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def _source(name: str) -> Path | None:
    """Return the file of a module of ours; None for a package without one, or for no module."""
    if not name.startswith("photocloak."):
        return None
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # a name out of a module: `from module import name`
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


class _Essence(ast.NodeTransformer):
    """Drops docstrings and `if TYPE_CHECKING:`."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)
