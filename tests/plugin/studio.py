"""A pipeline of fakes with a user of its own, and a folder to work in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from photocloak import exporters
from photocloak.engine.detection.faces import Face
from photocloak.plugin import Database, Job, Outputs, People, Pipeline
from photocloak.plugin.executors.threads import WorkerThreads
from photocloak.plugin.people.corrections import Corrections
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.pipeline.shelf import Shelf
from photocloak.plugin.pipeline.worker import Worker
from photocloak.plugin.storage.output_names import NeutralNames
from photocloak.plugin.storage.results import Results
from tests.plugin.fakes import face_at, make_engine, write_photo

ONE, TWO, NONE = (120, 160), (130, 260), (96, 128)
FACES: Mapping[tuple[int, int], Sequence[Face]] = {
    ONE: [face_at(40, 20, 70)],
    TWO: [face_at(20, 20, 80), face_at(150, 30, 70)],
}


def decisions_of(
    engine: Engine, database: Database, kind: type[Decisions] = Decisions
) -> Decisions:
    """Return a clerk for an engine of fakes; hardly anybody is alike."""
    people = People(database, dict.fromkeys(engine.ensemble.extractors, 0.9))
    corrections = Corrections(database)
    shelf = Shelf(Outputs(database), Results(database), NeutralNames(database), corrections)
    own = database.path.parents[2] / "config" / "photocloak" / "presets"
    return kind(
        people,
        shelf,
        engine.library,
        corrections,
        load_policy=lambda name: exporters.load_policy(name, own),
    )


class Studio:
    """A pipeline with a user of its own, and a folder to work in."""

    def __init__(
        self, home: Path, engine: Engine | None = None, database: Path | None = None
    ) -> None:
        self.engine = engine or make_engine(FACES)
        self.database = Database(database or home / "data" / "photocloak.db")
        self.outputs = Outputs(self.database)
        self.pipeline = Pipeline(
            decisions_of(self.engine, self.database), WorkerThreads(lambda: Worker(self.engine), 1)
        )
        self.photo = write_photo(home / "in" / "a.png", *ONE)
        self.out = home / "out"

    def job(self, source: Path | None = None, **changes: object) -> Job:
        job = Job(source or self.photo, self.out, "balanced", "keep")
        return replace(job, **changes)  # type: ignore[arg-type]

    def written(self) -> list[str]:
        return sorted(path.name for path in self.out.rglob("*")) if self.out.exists() else []


def write_album(place: Path) -> Path:
    """Write two photos with a face and one without, some in a sub-folder; return their folder."""
    write_photo(place / "a.png", *ONE)
    write_photo(place / "trip" / "b.jpg", *ONE, seed=1)
    write_photo(place / "trip" / "c.png", *NONE)
    return place
