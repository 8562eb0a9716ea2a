"""The detector on real photos: what docs/lab/detection.md promises, within sampling error."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from photocloak.engine.detection.detector import Detector


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(threads=1)


@pytest.fixture(scope="module")
def report() -> ModuleType:
    """Load benchmarks/lab/detection_report.py, which measures."""
    path = Path(__file__).parents[3] / "benchmarks" / "lab" / "detection_report.py"
    spec = importlib.util.spec_from_file_location("detection_report", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["detection_report"] = module
    spec.loader.exec_module(module)
    return module


def test_people_in_groups_are_found(lab: Path, report: ModuleType, detector: Detector) -> None:
    figures = dict(report.groups(lab / "data", detector))
    assert figures["groups all, faces"] >= 75
    assert figures["groups frontal, free, recall, possible"] == 1
    assert figures["groups all, recall, possible"] >= 0.9
    assert figures["groups false alarms, possible"] <= 3
    assert figures["groups false alarms, certain"] == 0


def test_forty_pixels_in_a_crowd_are_found(
    lab: Path, report: ModuleType, detector: Detector
) -> None:
    image, boxes, sizes = report.scene(lab / "data", 100)
    hits, false = report.match(boxes, detector(image))
    scores = [score for size, score in zip(sizes, hits, strict=True) if size >= 40]
    assert len(scores) > 40
    assert min(scores) >= detector.low
    assert len(false) <= 1


def test_photos_without_faces_are_rarely_taken_for_others(
    lab: Path, report: ModuleType, detector: Detector
) -> None:
    figures = dict(report.empty(lab / "data", detector))
    assert figures["empty photos with false alarms"] <= 2
    assert figures["empty false alarms, certain"] <= 1
    assert figures["empty photos held for what cannot be aligned"] == 0


def test_main_faces_are_certain(lab: Path, report: ModuleType, detector: Detector) -> None:
    for group, every in (("highres", 14), ("web_small", 4), ("lfw_protect", 80)):
        for path, size in report.index(lab / "data", group)[::every]:
            face = report.main_face(detector(report.read(path)), size)
            assert face is not None, path
            assert face.score >= detector.high, path


def test_alignment_holds_still(lab: Path, report: ModuleType, detector: Detector) -> None:
    photos = report.index(lab / "data", "lfw_protect")[::120]
    moves = []
    for path, size in photos:
        image = report.read(path)
        before = report.main_face(detector(image), size)
        for after, back, shift in (
            (report.recompressed(image, 75), 1, 0),
            report.resized(image, 0.7),
            report.tilted(image, 30),
        ):
            face = report.main_face(detector(after), size / abs(back))
            moves.append(report.moved(before, face, back, shift))
    assert sorted(moves)[len(moves) // 2] < 0.8
    assert max(moves) < 2.5
