"""The one funnel: from a photo to a verified, cloaked file, or to the reason why there is none.

`Pipeline.run` runs the phases of a photo one after the other in this process; `Coordinator` runs
the same ones for many photos, the costly ones in other processes. Whatever starts a job goes
through one of the two. They fail closed: where a face could not be cloaked well enough or the file
not verified, no byte appears at the destination. The claim is checked on the bytes that will be
written, decoded again.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from photocloak import exporters
from photocloak.engine.cloaker import OnStep
from photocloak.plugin.people.registry import People
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.messages import settled
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.pipeline.worker import Worker
from photocloak.plugin.storage.outputs import Outputs


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
        self._decisions = Decisions(people, outputs, engine.library, load_policy=load_policy)
        self._worker = Worker(engine)

    def check(self, job: Job) -> None:
        """Raise ConfigError when no photo could be done like this, before a batch is begun."""
        self._decisions.check(job)

    def run(self, job: Job, *, on_step: OnStep | None = None) -> Outcome:
        """Do one photo. Never raises but for an interrupt: a failure is an outcome, too.

        Args:
            job: what to do.
            on_step: called with (optimiser steps done, steps in all) as the cloak is computed.

        """
        started = time.monotonic()
        outcome = settled(job, lambda: self._run(job, on_step))
        return replace(outcome, seconds=time.monotonic() - started)

    def _run(self, job: Job, on_step: OnStep | None) -> Outcome:
        task = self._decisions.accept(job)
        if isinstance(task, Outcome):
            return task
        plan = self._decisions.assign(task, self._worker.detect(task))
        if isinstance(plan, Outcome):
            return plan
        return self._decisions.publish(plan, self._worker.cloak(plan.order, on_step))
