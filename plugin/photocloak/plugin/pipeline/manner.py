"""How a photo is to be done, as one hash: what was done otherwise is to be made anew."""

import hashlib
from collections.abc import Sequence

from photocloak import exporters
from photocloak.plugin.pipeline.job import Job
from photocloak.plugin.storage.written_files import sha256_of


def settings_of(
    job: Job,
    policy: exporters.Policy,
    named: Sequence[int],
    wished: tuple[tuple[int, ...], ...] = ((), ()),
) -> str:
    """Return a hash of how a photo is to be done.

    The metadata of another file are part of it by path and content.

    Args:
        job: what is to be done.
        policy: what may be written.
        named: the people who have a name.
        wished: whom only to cloak, and whom to spare.

    """
    target = None if job.hint.target is None else job.hint.target.name
    metadata = job.metadata_from and (job.metadata_from, sha256_of(job.metadata_from))
    how = (job.mode, policy, job.no_face, job.faces, job.seed, job.hint.name, target, metadata)
    said = (*how, job.fallback, job.not_a_face, wished, tuple(named))
    return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()
