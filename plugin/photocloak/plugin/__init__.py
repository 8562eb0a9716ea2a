"""Pipeline, people and settings: what joins engine and exporters into a tool.

The names are imported when they are first used, so that the command line starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photocloak.plugin.assembly import load_engine, open_pipeline
    from photocloak.plugin.assignment import UserHint
    from photocloak.plugin.database import Database
    from photocloak.plugin.folders import Folders
    from photocloak.plugin.job import FaceOutcome, Job, Outcome, Status
    from photocloak.plugin.outputs import Outputs
    from photocloak.plugin.people import People, Roster
    from photocloak.plugin.pipeline import Pipeline
    from photocloak.plugin.process_photo import Engine
    from photocloak.plugin.profiles import Person
    from photocloak.plugin.settings import Settings, load_settings

_HOMES = {
    "assembly": ("load_engine", "open_pipeline"),
    "assignment": ("UserHint",),
    "database": ("Database",),
    "folders": ("Folders",),
    "job": ("FaceOutcome", "Job", "Outcome", "Status"),
    "outputs": ("Outputs",),
    "people": ("People", "Roster"),
    "process_photo": ("Engine",),
    "pipeline": ("Pipeline",),
    "profiles": ("Person",),
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
