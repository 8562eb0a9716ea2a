"""What goes out besides the face is said before it goes out: once, counted, and in JSON."""

import json
from pathlib import Path

import pytest

from photocloak.core import ExitCode
from photocloak.plugin import Outcome, Status
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.progress import make_progress
from photocloak.plugin.tally import Tally
from tests.exporters.leaks.plants import packet, with_segments
from tests.plugin.fakes import picture
from tests.plugin.studio import ONE, Studio

XMP = b"http://ns.adobe.com/xap/1.0/\0"
CITY = 'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Wien" '
SERIAL = 'xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" aux:SerialNumber="12345" '
REGION = (
    '<mwg-rs:Regions xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/">'
    "<mwg-rs:RegionList><rdf:Bag><rdf:li><mwg-rs:Name>Ada</mwg-rs:Name></rdf:li></rdf:Bag>"
    "</mwg-rs:RegionList></mwg-rs:Regions>"
)


def telling(name: str, *kinds: str, output: bool = True) -> Outcome:
    path = Path("in", name)
    written = Path("out", name) if output else None
    return Outcome(path, written, Status.CLOAKED, discloses=kinds)


def test_it_is_said_once_and_counted() -> None:
    tally = Tally()
    assert tally.add(telling("a.jpg")) is None
    assert tally.add(telling("held.jpg", "place", output=False)) is None, "nothing goes out"
    said = tally.add(telling("b.jpg", "serial", "place"))
    assert said == (
        "out/b.jpg also tells the place, serial numbers, as its source does; --preset web leaves "
        "that out"
    )
    assert tally.add(telling("c.jpg", "person")) is None
    end = tally.line(4)
    assert "2 telling names of people or where their faces are, the place, serial numbers" in end


def test_nothing_is_said_where_nothing_is_told() -> None:
    tally = Tally()
    assert tally.add(telling("a.jpg")) is None
    assert tally.line(1) == "1 cloaked"


def test_the_way_out_of_what_is_cloaked_already_is_the_original() -> None:
    outcome = Outcome(Path("a"), Path("b"), Status.ALREADY_CLOAKED, discloses=("place",))
    assert "given the original" in str(Tally().add(outcome))


@pytest.mark.parametrize("style", ["plain", "auto"])
def test_a_run_says_it_on_stderr(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    show = make_progress(style, [Path("in/a.jpg"), Path("in/b.jpg")])  # type: ignore[arg-type]
    for name in ("a.jpg", "b.jpg"):
        show.end(telling(name, "place"))
    show.close()
    assert capsys.readouterr().err.count("--preset web") == 1


@pytest.mark.parametrize(
    ("attributes", "body", "kinds"),
    [
        ("", "", []),
        (CITY, "", ["place"]),
        (SERIAL + CITY, "", ["place", "serial"]),
        ("", REGION, ["person"]),
    ],
)
@pytest.mark.parametrize("preset", ["keep", "web", "anonymous"])
def test_what_a_written_file_tells_is_in_the_json(
    tmp_path: Path, attributes: str, body: str, kinds: list[str], preset: str
) -> None:
    studio = Studio(tmp_path)
    photo = studio.photo.with_suffix(".jpg")
    photo.write_bytes(with_segments(picture(*ONE), (0xE1, XMP + packet(attributes, body))))
    outcome = studio.pipeline.run(studio.job(photo, preset=preset))
    assert outcome.code is ExitCode.OK
    told = json.loads(json.dumps(outcome.as_json()))["discloses"]
    assert told == (kinds if preset == "keep" else [])
    again = studio.pipeline.run(studio.job(photo, preset=preset))
    assert (again.status, again.discloses) == (Status.DONE_BEFORE, outcome.discloses)
    assert outcome.output is not None
    handed = studio.pipeline.run(studio.job(outcome.output, folder=tmp_path / "more"))
    assert (handed.status, list(handed.discloses)) == (Status.ALREADY_CLOAKED, told)


def test_what_an_earlier_version_wrote_down_is_read() -> None:
    row = FaceOutcome((0, 0, 1, 1), "Ada", 0.01, {"a": 0.5}, "balanced").as_json()
    del row["verdict"], row["accepting"]
    face = FaceOutcome.from_json(row)
    assert (face.verdict, face.accepting) == (None, None)
    assert Outcome(Path("a"), None, Status.CLOAKED, faces=(face,)).verdict is None
