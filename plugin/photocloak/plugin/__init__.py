"""Pipeline, people and settings: what joins engine and exporters into a tool.

The names are imported when they are first used, so that the command line starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photocloak.plugin.assembly import load_engine, open_pipeline
    from photocloak.plugin.people.assignment import UserHint
    from photocloak.plugin.people.profiles import Person
    from photocloak.plugin.people.registry import People
    from photocloak.plugin.people.roster import Roster
    from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status
    from photocloak.plugin.pipeline.pipeline import Pipeline
    from photocloak.plugin.pipeline.process_photo import Engine
    from photocloak.plugin.settings import Settings, load_settings
    from photocloak.plugin.storage.database import Database
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.outputs import Outputs

_HOMES = {
    "assembly": ("load_engine", "open_pipeline"),
    "people.assignment": ("UserHint",),
    "storage.database": ("Database",),
    "storage.folders": ("Folders",),
    "pipeline.job": ("FaceOutcome", "Job", "Outcome", "Status"),
    "storage.outputs": ("Outputs",),
    "people.registry": ("People",),
    "people.roster": ("Roster",),
    "pipeline.process_photo": ("Engine",),
    "pipeline.pipeline": ("Pipeline",),
    "people.profiles": ("Person",),
    "settings": ("Settings", "load_settings"),
}

__all__ = [
    "Database",
    "Engine",
    "FaceOutcome",
    "Folders",
    "Job",
    "Outcome",
    "Outputs",
    "People",
    "Person",
    "Pipeline",
    "Roster",
    "Settings",
    "Status",
    "UserHint",
    "load_engine",
    "load_settings",
    "open_pipeline",
]


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
