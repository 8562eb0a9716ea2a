"""How a photo of the queue is to be done: by the settings, and by what was asked for it alone."""

from pathlib import Path

from photocloak.plugin.people.assignment import UserHint
from photocloak.plugin.pipeline.job import Job
from photocloak.plugin.settings import Settings
from photocloak.plugin.watch.queue import QueuedPhoto

ASKABLE = ("mode", "preset")
"""Settings that can be asked for one photo alone."""


def as_asked(task: QueuedPhoto, settings: Settings) -> Settings:
    """Return the settings, but for what was asked for a photo alone."""
    own = {key: value for key, value in task.asked.items() if key in ASKABLE}
    return settings.with_flags(**own)


def job_of(task: QueuedPhoto, output: Path, settings: Settings) -> Job:
    """Return what the pipeline is asked to do with a photo."""
    settings = as_asked(task, settings)
    # What a program has sent is named when it is handed out.
    neutral = settings.names == "neutral" and not task.asked
    return Job(
        task.source,
        output / ("" if neutral else task.below),
        settings.mode,
        settings.preset,
        settings.no_face,
        hint=UserHint(task.asked.get("person")),
        faces=settings.faces,
        fallback=None if settings.fallback == "hold" else settings.fallback,
        redo=task.redo,
        accept_weak=settings.accept_weak,
        neutral=neutral,
    )
