"""Where the faces of people were seen, to show who is who: in review and on a page to keep.

No picture is stored: only in which photo, and where in it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from photocloak.engine.seam import Box
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.storage.results import Result


@dataclass(frozen=True)
class Seen:
    """A face of somebody in a photo.

    Attributes:
        path: of the photo.
        sha256: of its bytes then.
        box: x, y, w, h in pixels of the photo as it is decoded.

    """

    path: Path
    sha256: str
    box: Box


def seen_in(results: Iterable[Result]) -> dict[int, list[Seen]]:
    """Return where everybody's faces were seen in photos that were written, by id.

    Earlier versions did not write down whose a face is: people stand in the faces' order there.
    """
    found: dict[int, list[Seen]] = {}
    for result in results:
        faces = [FaceOutcome.from_json(row) for row in result.outcome["faces"]]
        named = [face for face in faces if face.cloaked and face.person is not None]
        ids = {face.person_id: face for face in faces if face.person_id is not None}
        if not ids and len(named) == len(result.people):
            ids = {who: face for face, (who, _) in zip(named, result.people, strict=True)}
        for who, face in ids.items():
            if who is not None and face.found is not None:
                seen = Seen(result.source, result.sha256, face.found)
                found.setdefault(who, []).append(seen)
    return found


def clearest(faces: Iterable[Seen]) -> Iterator[Seen]:
    """Yield the largest first, one of each photo that is there; copies are one photo."""
    shown = set()
    for one in sorted(faces, key=lambda seen: -seen.box[2] * seen.box[3]):
        if one.sha256 not in shown and one.path.is_file():
            shown.add(one.sha256)
            yield one
