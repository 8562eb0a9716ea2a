"""The protected people's photos through the product, as each of them would run it.

Every identity has people and outputs of their own, so that nothing of the user's is touched and
nobody's target depends on who else is measured. What is done stays done: a kill loses one photo.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from photocloak.core import ConfigError
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.age_sex import EXTRACTOR
from photocloak.engine.recognition.attributes import Attributes
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble
from photocloak.plugin.assembly import library_file, load_engine, open_pipeline
from photocloak.plugin.evaluation.cache import Cache, file_hash, fingerprint
from photocloak.plugin.evaluation.protocol import Identity, Picture
from photocloak.plugin.evaluation.version import code_version
from photocloak.plugin.pipeline.job import Job, Outcome, Status
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.progress import Progress
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders

CODE = ("photocloak.plugin.pipeline.pipeline",)
PRESET = "keep"


@dataclass(frozen=True)
class CloakedPicture:
    """What the product made of one photo.

    Attributes:
        clean: the photo.
        written: the file; None: it was held back.
        status: how it ended.
        faces: how many were cloaked.
        seconds: from start to end.

    """

    clean: Picture
    written: Picture | None
    status: str
    faces: int
    seconds: float


def surrogates_without(engine: Engine, leave_out: Sequence[str]) -> Engine:
    """Return the engine with only the other extractors, targets chosen as ever.

    How a face looks is told by features of one of them, so that one is asked even when left out.
    """
    everybody = engine.ensemble.extractors
    if unknown := set(leave_out) - set(everybody):
        raise ConfigError(
            f"There is no extractor {', '.join(sorted(unknown))}; there are {', '.join(everybody)}."
        )
    kept = {name: one for name, one in everybody.items() if name not in leave_out}
    if not kept:
        raise ConfigError("All extractors are left out; none remains to cloak with.")
    if EXTRACTOR in kept or EXTRACTOR not in everybody:
        return replace(engine, ensemble=Ensemble(kept))
    looker = Ensemble({EXTRACTOR: everybody[EXTRACTOR]})

    def find_attributes(image: Image, face: Face, features: Embeddings) -> Attributes | None:
        return engine.find_attributes(image, face, features | looker.embed(image, [face])[0])

    return replace(engine, ensemble=Ensemble(kept), find_attributes=find_attributes)


class Product:
    """Cloaks with one engine, and remembers."""

    def __init__(self, cache: Cache, engine: Engine, folders: Folders, settings: Settings) -> None:
        self._cache, self._engine, self._folders = cache, engine, folders
        models = sorted(one.spec.sha256 for one in engine.ensemble.extractors.values())
        self._version = fingerprint(
            code_version(*CODE), models, file_hash(library_file(folders)), settings.match_targets
        )

    def pending(self, identity: Identity, mode: str) -> list[Picture]:
        """Return the identity's training photos that are not done."""
        records = self._records(identity, mode)
        return [one for one in identity.train if not records[one].is_file()]

    def cloak(self, identity: Identity, mode: str, show: Progress) -> list[CloakedPicture]:
        """Return what became of the training photos, in their order."""
        folder = self._folder(identity, mode)
        self._cache.private(*folder.relative_to(self._cache.folder).parts, "done")
        records = self._records(identity, mode)
        pending = {one.path: one for one in self.pending(identity, mode)}
        pipeline = open_pipeline(self._engine, Folders(self._folders.config, folder / "user"))
        jobs = [Job(path, folder / "photos", mode, PRESET) for path in pending]
        for outcome in pipeline.run_all(jobs, show.event):
            show.end(outcome)
            _keep(records[pending[outcome.source]], outcome)
        return [_read(record, picture) for picture, record in records.items()]

    def _records(self, identity: Identity, mode: str) -> dict[Picture, Path]:
        done = self._folder(identity, mode) / "done"
        return {one: done / f"{number:03}.json" for number, one in enumerate(identity.train)}

    def _folder(self, identity: Identity, mode: str) -> Path:
        # Who a person is, and for whom they are taken, follows from all their photos.
        photos = [one.sha256 for one in identity.train]
        key = fingerprint(self._version, load_mode(mode), PRESET, *photos)
        return self._cache.folder / "cloaks" / key


def _keep(record: Path, outcome: Outcome) -> None:
    """Write down how it ended, whole or not at all."""
    if outcome.status is Status.FAILED:
        raise ConfigError(f"{outcome.reason} A data set must consist of photos that can be read.")
    written = outcome.output
    value = {
        "output": None if written is None else [str(written), file_hash(written)],
        "status": outcome.status.value,
        "faces": len(outcome.faces),
        "seconds": outcome.seconds,
    }
    part = record.with_suffix(".part")
    part.write_text(json.dumps(value), "utf-8")
    part.replace(record)


def _read(record: Path, clean: Picture) -> CloakedPicture:
    value = json.loads(record.read_text("utf-8"))
    output = value["output"]
    written = None if output is None else Picture(Path(output[0]), output[1])
    return CloakedPicture(clean, written, value["status"], value["faces"], value["seconds"])


def load_product(
    cache: Cache, leave_out: Sequence[str], folders: Folders, settings: Settings
) -> tuple[Engine, Product]:
    """Load the models; return all of them, and the product that cloaks without `leave_out`."""
    engine = load_engine(settings, folders)
    return engine, Product(cache, surrogates_without(engine, leave_out), folders, settings)
