"""Putting files into other programs' folders, and taking exactly those away again.

What was put is recorded in the user's data folder (`bridges.json`), before it is put, so that a
kill at any moment leaves nothing that nobody knows of. A file or a piece of a file that is not as
photocloak put it (there before, or changed since) is never overwritten and never removed.

A bridge is a class `Name(Bridge)` in a module of its own, named in `bridges/__init__.py`:

    class Example(Bridge):
        name = "example"
        title = "Example 1.0"

        def files(self) -> Mapping[Path, Part]:
            place = platformdirs.user_config_path("example")
            return {
                place / "photocloak.lua": File(shipped("example", "photocloak.lua").encode()),
                place / "examplerc": Line('require "photocloak"'),   # a line in the user's own file
            }

        def probe(self) -> str:
            return "live"
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from photocloak.core import ConfigError, manifest_root
from photocloak.plugin.bridges.parts import Element, File, Line, Part
from photocloak.plugin.bridges.placing import (
    found,
    installed_part_of,
    plan,
    put,
    read,
    remove_folders,
    take_away,
)
from photocloak.plugin.bridges.record import InstalledPart, Record
from photocloak.plugin.storage.folders import Folders

__all__ = [
    "Bridge",
    "Change",
    "Element",
    "File",
    "Line",
    "Part",
    "install",
    "program",
    "shipped",
    "state",
    "uninstall",
]


@dataclass(frozen=True)
class Change:
    """What an installation or a removal did.

    Attributes:
        done: where something was put or taken away, and how that is called for people: "put",
            "took a line out of", …
        left: what was left alone, and why.

    """

    done: Mapping[Path, str]
    left: Mapping[Path, str]


class Bridge(Protocol):
    """What joins one other program to photocloak; subclass it.

    Attributes:
        name: as in `photocloak install NAME`.
        title: what it joins, for people.

    """

    name: str
    title: str

    def files(self) -> Mapping[Path, Part]:
        """Return what is put where: absolute paths and whole files, lines or XML elements."""

    def probe(self) -> str:
        """Say in one line whether what was put works; asked only when all of it is in place.

        Raises:
            PhotocloakError: it cannot work as things are; what is missing, and what to do.

        """

    def advice(self, *, installed: bool) -> str:  # noqa: ARG002  for bridges to read
        """Say what the user has yet to do after installing or uninstalling; empty: nothing."""
        return ""

    def forget(self) -> Change:
        """Take away what the other program itself wrote about what was put, now that it is gone.

        Raises:
            OutputError: that cannot be read or written.

        """
        return Change({}, {})

    def refresh(self) -> None:
        """Make the other program's caches notice that files came or went."""
        return


def install(bridge: Bridge, folders: Folders) -> Change:
    """Put a bridge's files in place, all of them or none; what is there already stays.

    Raises:
        OutputError: a file is there that photocloak did not put, or that was changed since; or
            one cannot be written.

    """
    record = Record(folders)
    ours = record.load(bridge.name)
    shared = record.load_others(bridge.name)
    known = shared | ours
    parts = bridge.files()
    planned = {path: plan(path, part, known.get(path)) for path, part in parts.items()}
    steps = [step for step in planned.values() if step is not None]
    left = {path: "was there already" for path, step in planned.items() if step is None}
    stale = {p: entry for p, entry in ours.items() if p not in parts and p not in shared}
    entries = {step.path: installed_part_of(step, known.get(step.path)) for step in steps}
    record.save(bridge.name, ours | entries)
    for step in steps:
        put(step)
    gone, kept = take_away(stale)
    remove_folders(stale)
    entries = {path: replace(entry, texts=entry.texts[-1:]) for path, entry in entries.items()}
    record.save(bridge.name, {path: ours[path] for path in kept} | entries)
    bridge.refresh()
    return Change({step.path: step.deed for step in steps} | gone, left | kept)


def uninstall(bridge: Bridge, folders: Folders) -> Change:
    """Take away what was put, is still as it was put, and serves no other bridge."""
    record = Record(folders)
    ours, shared = record.load(bridge.name), record.load_others(bridge.name)
    gone, kept = take_away({path: entry for path, entry in ours.items() if path not in shared})
    record.save(bridge.name, {path: ours[path] for path in kept})
    if not kept:
        rest = bridge.forget()
        gone, kept = {**gone, **rest.done}, dict(rest.left)
    bridge.refresh()
    remove_folders(ours)
    return Change(gone, kept)


def state(bridge: Bridge, folders: Folders) -> str:
    """Say in one line how a bridge stands, for `photocloak doctor`.

    Raises:
        PhotocloakError: it was installed, but cannot work.

    """
    ours = Record(folders).load(bridge.name)
    command = f"`photocloak install {bridge.name}`"
    if not ours:
        return f"optional, not installed: {command}, for {bridge.title}"
    parts = bridge.files()
    for path, entry in ours.items():
        there = read(path)
        as_put = None if there is None else found(there, entry, path)
        if as_put is None:
            raise ConfigError(f"{path}: what photocloak put there is gone; run {command}.")
        if not as_put:
            return f"{path} was changed since photocloak put it there; {bridge.probe()}"
    if not all(_is_newest(path, part) for path, part in parts.items()):
        raise ConfigError(
            "was put by another version of photocloak, from another place, or before another "
            f"program was there; run {command}."
        )
    return bridge.probe()


def _is_newest(path: Path, part: Part) -> bool:
    there = read(path)
    return there is not None and found(there, InstalledPart.of(part), path) is True


def program() -> Path:
    """Return the absolute path of the command `photocloak`, for hosts that know no PATH of ours."""
    beside = Path(sys.executable).with_name("photocloak")
    schemes = (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", "posix_user"))
    for place in (beside, *(Path(one) / "photocloak" for one in schemes)):
        if os.access(place, os.X_OK):
            return place
    anywhere = shutil.which("photocloak")
    if anywhere is None:
        raise ConfigError(
            "The command `photocloak` is not on your PATH; install photocloak with `sh "
            "scripts/install`, in a clone of its repository, so that other programs can start it."
        )
    return Path(anywhere).absolute()


def shipped(host: str, name: str) -> str:
    """Return the text of a file of `manifests/hosts/`."""
    return (manifest_root() / "hosts" / host / name).read_text("utf-8")
