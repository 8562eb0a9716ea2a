"""Nothing is uploaded: ONNX Runtime's own telemetry never comes to life, in tests neither."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from photocloak.engine.runtime import require_onnxruntime

ROOT = Path(__file__).parents[2]
SWITCH, COLLECTOR = b"ORT_DISABLE_TELEMETRY", b"OneCollector"
WAYS = {
    "a model": (
        "from photocloak.plugin import Folders, load_engine, load_settings\n"
        "folders = Folders.of_user()\n"
        "load_engine(load_settings(folders.settings), folders)"
    ),
    "autodiff": "import photocloak.engine.autodiff.prepare as p\n"
    "import onnx.helper as h\n"
    "x, y = (h.make_tensor_value_info(n, 1, [1]) for n in 'xy')\n"
    "g = h.make_graph([h.make_node('Relu', ['x'], ['y'])], 'g', [x], [y])\n"
    "m = h.make_model(g, opset_imports=[h.make_opsetid('', 16)], ir_version=8)\n"
    "p.simplified(m)",
}


@pytest.mark.parametrize("way", WAYS)
def test_no_device_id_and_no_uploader(tmp_path: Path, way: str) -> None:
    """The variable that conftest.py sets for all tests is taken away: the product sets its own."""
    kept = {key: value for key, value in os.environ.items() if key.encode() != SWITCH}
    clean = kept | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", WAYS[way]], env=clean, check=True)
    assert not list(tmp_path.rglob("*onnxruntime*"))


def test_the_switch_is_one_that_this_build_knows() -> None:
    """Looked up in the library itself; to see the uploader start, it would have to start."""
    found = {SWITCH: False, COLLECTOR: False}
    for library in Path(require_onnxruntime().__file__).parent.glob("capi/*.so*"):
        content = library.read_bytes()
        found = {text: seen or text in content for text, seen in found.items()}
    assert found[SWITCH] or not found[COLLECTOR]


def test_it_does_not_run_in_this_process() -> None:
    """The uploader keeps its database open."""
    require_onnxruntime()
    opened = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            opened.append(entry.readlink().name)
        except FileNotFoundError:  # the folder's own
            continue
    assert opened and "onnxruntime.db" not in opened


def test_there_is_one_way_to_onnxruntime() -> None:
    """Whoever imports it directly, in a program for another process too, may be the first."""
    direct = re.compile(
        r"\b(?:import|from)\s+onnxruntime\b|import(?:_module|__)\(\s*[\"']onnxruntime\b"
    )
    parts = ("cloak_engine", "exporters", "plugin", "tests", "benchmarks")
    paths = [path for part in parts for path in (ROOT / part).rglob("*.py")]
    assert len(paths) > 200
    importing = [path.name for path in paths for _ in direct.finditer(path.read_text("utf-8"))]
    assert importing == ["runtime.py"], "use engine.runtime.require_onnxruntime"
