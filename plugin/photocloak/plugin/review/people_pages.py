"""The addresses of the people's page."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from photocloak.core import ConfigError
from photocloak.plugin.review.desk import Desk

PAIRS = 6
"""Pairs that are suggested at a time."""


def pages(desk: Desk) -> Blueprint:
    """Return the page of cards, the faces on it, and what can be said there."""
    made = Blueprint("people", __name__, url_prefix="/people")

    @made.get("/")
    def cards() -> str:
        found = desk.cards.all()
        return render_template("people.html", cards=found, pairs=desk.cards.pairs(found)[:PAIRS])

    @made.get("/<int:person>/<int:number>.jpg")
    def face(person: int, number: int) -> Response:
        seen = desk.cards.face(person, number)
        if seen is None:
            abort(404)
        return Response(desk.pictures.crop(seen.path, seen.sha256, seen.box), mimetype="image/jpeg")

    @made.post("/<int:person>")
    def say(person: int) -> BaseResponse:
        who, what = f"person-{person}", request.form.get("say")
        sure = "sure" in request.form
        if what == "name":
            desk.corrector.call(who, request.form.get("name", ""), sure=sure)
        elif what == "merge":
            desk.corrector.merge(who, request.form.get("with", ""), sure=sure)
        elif what == "forget":
            desk.forget(who)
        elif what == "spare":
            desk.sparing.spare(desk.corrector.person(who))
        elif what == "cloak":
            desk.sparing.cloak(desk.corrector.person(who))
        else:
            raise ConfigError(f"{what!r} cannot be said about a person.")
        return redirect(url_for("people.cards"), 303)

    return made
