"""The real daemon, command line excepted, with extractors that are fakes.

`python -m tests.plugin.watch.fake_daemon OPTIONS`, where OPTIONS is a JSON object: `folders`,
`output`, `pace` (as `Pace`), `mode`, `drop` (share of the events that are dropped), `polls` (the
file system is said to have no events), `clock` (a file with seconds to add to the wall clock).
"""

import json
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from watchdog.events import FileSystemEvent

from photocloak.plugin import Database, Folders, Settings
from photocloak.plugin.executors.processes import Processes
from photocloak.plugin.main import run
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.watch import events
from photocloak.plugin.watch.config import read_config
from photocloak.plugin.watch.daemon import Daemon
from photocloak.plugin.watch.scanner import Pace
from tests.plugin.fakes import CAST, FakeRecipe, make_engine
from tests.plugin.studio import decisions_of

QUICK: dict[str, float] = {
    "quiet": 0.3, "rescan": 1.0, "poll": 0.4, "gap": 0.1, "rest": 0.2, "grace": 20.0,
}  # fmt: skip


def open_coordinator(_settings: Settings, folders: Folders) -> Coordinator:
    decisions = decisions_of(make_engine(CAST), Database(folders.database))
    return Coordinator(decisions, Processes(FakeRecipe(), 1))


def drop_events(share: float) -> None:
    chance = random.Random(1)
    hear = events.Hints.on_any_event

    def deaf(self: events.Hints, event: FileSystemEvent) -> None:
        if chance.random() >= share:
            hear(self, event)

    events.Hints.on_any_event = deaf  # type: ignore[method-assign]


def shifted(file: str) -> Callable[[], float]:
    return lambda: time.time() + float(Path(file).read_text())


def start(options: dict[str, Any]) -> None:
    if options.get("drop"):
        drop_events(options["drop"])
    if options.get("polls"):
        mock.patch.object(events, "has_events", lambda _: False).start()
        mock.patch.object(events, "Observer", _NoObserver).start()
    folders = Folders.of_user()
    load = partial(
        read_config,
        folders,
        paths=[Path(one) for one in options["folders"]],
        output=Path(options["output"]),
        mode=options.get("mode"),
    )
    clock = options.get("clock")
    Daemon(
        load,
        folders,
        open_coordinator=open_coordinator,
        pace=Pace(**QUICK | options.get("pace", {})),
        wall=shifted(clock) if clock else time.time,
    ).run()


class _NoObserver:
    def schedule(self, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    def unschedule_all(self) -> None:
        pass


def main() -> None:
    from photocloak.plugin.main import photocloak

    # The command line's handler of errors is part of what is tested.
    photocloak.commands["watch"].callback = lambda **_: start(json.loads(sys.argv[1]))
    sys.exit(run(["watch"]))


if __name__ == "__main__":
    main()
