"""The real command line with few steps: `python -m tests.plugin.fake_cloak fakes|models ARGUMENTS`.

With "fakes" the extractors are fakes, too. So few steps protect nobody, and nothing is held back
for it.
"""

import sys
from dataclasses import dataclass, replace
from functools import partial

from photocloak.engine.modes import Mode, load_mode
from photocloak.engine.verdict import Verdict
from photocloak.plugin import Database, Folders, assembly
from photocloak.plugin.main import run
from photocloak.plugin.pipeline import decisions, job, messages, process_photo
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.worker import Worker
from tests.plugin.fakes import CAST, make_engine
from tests.plugin.studio import decisions_of


def opened(folders: Folders) -> Decisions:
    return decisions_of(make_engine(CAST), Database(folders.database))


def quick(name: str) -> Mode:
    return replace(load_mode(name), steps=2)


def lenient(accepting: int, *, of: int) -> Verdict:
    return Verdict.GOOD


@dataclass(frozen=True)
class FewSteps(assembly.Recipe):
    """Makes such a worker in any process: an album's are others than this one."""

    fakes: bool

    def __call__(self) -> Worker:
        hasten(fakes=self.fakes)
        return super().__call__()


def hasten(*, fakes: bool) -> None:
    """Have this process take few steps, and fakes for models."""
    for module in (decisions, process_photo):
        vars(module)["load_mode"] = quick
    for module in (job, messages):
        vars(module)["verdict_of"] = lenient
    if fakes:
        vars(assembly)["load_engine"] = lambda *_: make_engine(CAST)
        vars(assembly)["open_decisions"] = opened


def main() -> None:
    fakes = sys.argv[1] == "fakes"
    hasten(fakes=fakes)
    vars(assembly)["Recipe"] = partial(FewSteps, fakes=fakes)
    sys.exit(run(sys.argv[2:]))


if __name__ == "__main__":
    main()
