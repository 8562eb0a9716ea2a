"""What a request asks for: one photo, and how it is wished."""

import difflib
from pathlib import PurePosixPath
from typing import IO

from flask import Request

from photocloak.core import ConfigError
from photocloak.engine.modes import load_mode
from photocloak.plugin.progress import clean
from photocloak.plugin.receiver.desk import Desk
from photocloak.plugin.receiver.problems import ProblemError
from photocloak.plugin.receiver.store import Wish

FIELDS = ("photo", "preset", "mode", "person")

LONGEST = 200
"""Characters of a name."""

HOW = "Send multipart/form-data with the file in the field `photo`: curl -F photo=@a.jpg …"


def asked_for(request: Request, desk: Desk) -> tuple[IO[bytes], Wish]:
    """Return the photo of a request, and how it is wished; what is not said, settings.toml says.

    Raises:
        ProblemError: there is no photo, or a field that is unknown, twice or wrong.

    """
    for name in (*request.form, *request.files):
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.0)[0]
            what = f"There is no field {clean(name)[:LONGEST]!r}."
            raise ProblemError(400, what, f"Did you mean {near!r}?")
        if len(request.form.getlist(name)) + len(request.files.getlist(name)) > 1:
            raise ProblemError(400, f"{name} is there twice.", "Send one photo a request.")
    photo = request.files.get("photo")
    if photo is None:
        raise ProblemError(400, "There is no file in the field `photo`.", HOW)
    if not photo.stream.read(1):
        raise ProblemError(400, "The photo is empty.", "Send the file itself, whole.")
    photo.stream.seek(0)
    mode = _field(request, "mode") or desk.settings.mode
    preset = _field(request, "preset") or desk.settings.preset
    try:
        load_mode(mode)
        desk.policy(preset)
    except ConfigError as error:
        raise ProblemError(400, str(error), "Choose one that there is.") from error
    return photo.stream, Wish(_name(photo.filename), mode, preset, _field(request, "person"))


def _field(request: Request, name: str) -> str | None:
    """Return a field; None where it is not there, or empty."""
    if name in request.files:
        raise ProblemError(400, f"{name} is a file.", f"Send {name} as text: -F {name}=…")
    text = request.form.get(name, "").strip()
    if len(text) > LONGEST or not text.isprintable():
        what = f"{name} is too long, or holds what cannot be printed."
        raise ProblemError(400, what, f"Send at most {LONGEST} printable characters.")
    return text or None


def _name(sent: str | None) -> str:
    """Return the name of the photo's file, without folders and what cannot be printed."""
    name = PurePosixPath((sent or "").replace("\\", "/")).name
    return "".join(one for one in name if one.isprintable()).strip(". ")[-LONGEST:] or "photo"
