"""The one funnel: from a photo to a verified, cloaked file, or to the reason why there is none.

Command line, watched folder and every bridge to a host call `Pipeline.run`. It fails closed:
where a face could not be cloaked well enough or the file not verified, no byte appears at the
destination. The claim is checked on the bytes that will be written, decoded again.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from photocloak import exporters
from photocloak.core import ExitCode, OutputError, PhotocloakError
from photocloak.engine.cloaker import OnStep
from photocloak.engine.evidence import FaceEvidence
from photocloak.engine.faces import Face, alignable
from photocloak.engine.modes import load_mode
from photocloak.engine.space import Image
from photocloak.plugin.assignment import Assignment
from photocloak.plugin.attempt import Attempt, Engine, sha256, still_recognised
from photocloak.plugin.folders import why_not_writable
from photocloak.plugin.job import FaceOutcome, Job, Outcome, Status
from photocloak.plugin.outputs import Outputs
from photocloak.plugin.people import People

_LOG = logging.getLogger(__name__)


class Pipeline:
    """Runs jobs; holds the loaded models and the user's stores."""

    def __init__(
        self,
        engine: Engine,
        people: People,
        outputs: Outputs,
        *,
        load_policy: Callable[[str], exporters.Policy] = exporters.load_policy,
    ) -> None:
        self._engine, self._people, self._outputs = engine, people, outputs
        self._policy = cache(load_policy)
        self._swept: set[Path] = set()

    def check(self, mode: str, preset: str) -> None:
        """Raise ConfigError when there is no such mode or preset, before a batch is begun."""
        load_mode(mode)
        self._policy(preset)

    def run(self, job: Job, *, on_step: OnStep | None = None) -> Outcome:
        """Do one photo. Never raises but for an interrupt: a failure is an outcome, too.

        Args:
            job: what to do.
            on_step: called with (optimiser steps done, steps in all) as the cloak is computed.

        """
        started = time.monotonic()
        try:
            outcome = self._run(job, on_step)
        except PhotocloakError as error:
            _LOG.debug("%s failed", job.source, exc_info=True)
            outcome = _failed(job, str(error), error.exit_code)
        except MemoryError:
            reason = f"{job.source}: there is not enough memory for this photo."
            outcome = _failed(job, reason, ExitCode.UNEXPECTED)
        except Exception as error:
            _LOG.debug("%s failed", job.source, exc_info=True)
            what = " ".join(str(error).split()) or "no message"
            reason = f"{job.source}: unexpected {type(error).__name__}: {what}"
            outcome = _failed(job, reason, ExitCode.UNEXPECTED)
        return replace(outcome, seconds=time.monotonic() - started)

    def _run(self, job: Job, on_step: OnStep | None) -> Outcome:
        if reason := why_not_writable(job.folder):
            raise OutputError(f"{job.source}: cannot be written to {job.folder}: {reason}.")
        photo = exporters.read(job.source)
        if self._outputs.knows(sha256(photo.data)):
            return self._unchanged(job, photo)
        policy = self._policy(job.preset)
        base = exporters.prepare(photo, policy)
        faces = self._engine.detector(base)
        if not faces:
            return self._faceless(job, photo, base, policy)
        if reason := _out_of_reach(faces, base.shape):
            return Outcome(
                job.source, None, Status.UNCERTAIN, f"{job.source}: {reason}", code=ExitCode.NO_FACE
            )
        features = self._engine.ensemble.embed(base, faces)
        content = sha256(photo.pixels.tobytes())
        attempt = Attempt(self._engine, job, photo, base, policy, faces, features, content)
        assigned = self._people.assign(
            attempt.content,
            attempt.sightings(),
            library=self._engine.library.targets,
            choose=attempt.choose,
            wish=job.wish,
        )
        encoded, evidence = attempt.cloak(assigned, on_step)
        found = _outcomes(evidence, assigned)
        ensemble, tolerated = self._engine.ensemble, load_mode(job.mode).tolerated
        if weak := still_recognised(evidence, ensemble, tolerated=tolerated):
            reason = (
                f"{job.source}: held back, since {weak} would still recognise a face in it; a "
                "stronger --mode has a larger budget."
            )
            return Outcome(job.source, None, Status.TOO_WEAK, reason, found, code=ExitCode.TOO_WEAK)
        output = self._publish(job, encoded)
        accepting = still_recognised(evidence, ensemble)
        warning = [f"{accepting} may still recognise a face in it"] if accepting else []
        notes = "; ".join([*encoded.notes, *warning]) or None
        return Outcome(job.source, output, Status.CLOAKED, notes, found)

    def _unchanged(self, job: Job, photo: exporters.Photo) -> Outcome:
        """Hand on an output of ours as it is."""
        reason = "photocloak wrote this file itself; it is left as it is"
        there = job.folder / job.source.name
        if _sha256_of(there) != sha256(photo.data):
            there = exporters.publish(
                photo.data,
                self._ready(job.folder),
                job.source.stem,
                job.source.suffix,
                like=job.source,
            )
        return Outcome(job.source, there, Status.ALREADY_CLOAKED, reason)

    def _faceless(
        self, job: Job, photo: exporters.Photo, base: Image, policy: exporters.Policy
    ) -> Outcome:
        """Hold back a photo without a face, or write it as the preset writes any photo."""
        if job.no_face == "hold":
            reason = f"{job.source}: no face was found; --no-face copy writes such photos as well."
            return Outcome(job.source, None, Status.NO_FACE, reason, code=ExitCode.NO_FACE)
        output = self._publish(job, exporters.encode(photo, base, base, policy), cloaked=False)
        return Outcome(job.source, output, Status.NO_FACE, "no face was found; written uncloaked")

    def _publish(self, job: Job, encoded: exporters.Encoded, *, cloaked: bool = True) -> Path:
        """Make verified bytes visible; over an earlier output of the same photo, else beside."""
        earlier = self._earlier(job, encoded.suffix)
        self._outputs.announce(sha256(encoded.data), source=job.source, cloaked=cloaked)
        return exporters.publish(
            encoded.data,
            self._ready(job.folder),
            job.source.stem,
            encoded.suffix,
            like=job.source,
            replace=earlier,
        )

    def _earlier(self, job: Job, suffix: str) -> Path | None:
        """Return what was made of this photo before, if nobody has changed it since."""
        made = self._outputs.of(job.source)
        if not made or not job.folder.is_dir():
            return None
        beside = sorted(path for path in job.folder.iterdir() if path.suffix == suffix)
        named = (path for path in beside if path.name.startswith(job.source.stem))
        return next((path for path in named if _sha256_of(path) in made), None)

    def _ready(self, folder: Path) -> Path:
        """Make the destination, and clear once what a killed process may have left there."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if folder not in self._swept:
                exporters.sweep(folder)
                self._swept.add(folder)
        except OSError as error:
            raise OutputError(
                f"{folder}: the output folder cannot be used ({error.strerror})."
            ) from error
        return folder


def _failed(job: Job, reason: str, code: ExitCode) -> Outcome:
    return Outcome(job.source, None, Status.FAILED, " ".join(reason.split()), code=code)


def _out_of_reach(faces: Sequence[Face], shape: tuple[int, ...]) -> str | None:
    """Say which of the faces cannot be aligned, so not cloaked: a missed face is one published."""
    missed = [face for face in faces if not alignable(face, shape)]
    if not missed:
        return None
    x, y, w, h = (round(value) for value in missed[0].box)
    more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
    return (
        f"held back, since what may be a face at {x}, {y} ({w} × {h} pixels){more} "
        "cannot be cloaked; crop or cover it."
    )


def _outcomes(
    evidence: Sequence[FaceEvidence], assigned: Sequence[Assignment]
) -> tuple[FaceOutcome, ...]:
    return tuple(
        FaceOutcome(
            one.box, None if who.person is None else who.person.label, one.dssim, one.similarity
        )
        for one, who in zip(evidence, assigned, strict=True)
    )


def _sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of a file; None where there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
