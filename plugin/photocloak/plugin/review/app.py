"""The addresses of the page. Who may ask for them is decided before (`server.guard`)."""

import logging
from typing import Any

from flask import Flask, Response, abort, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from photocloak.core import ConfigError, InputError, PhotocloakError
from photocloak.engine.seam import Box
from photocloak.plugin.html import page_style, slider_script
from photocloak.plugin.people.roster import TogetherError
from photocloak.plugin.pictures import NotShownError
from photocloak.plugin.review import offers, people_pages, words
from photocloak.plugin.review.album import Photo
from photocloak.plugin.review.desk import Desk
from photocloak.plugin.review.pictures import SCREEN, TILE, WHOLE, Which

_LOG = logging.getLogger(__name__)

WHICH: dict[str, Which] = {"before": "before", "after": "after", "change": "change"}
EDGES = {"tile": TILE, "screen": SCREEN, "whole": WHOLE}


def make_app(desk: Desk) -> Flask:
    """Return the application."""
    app = Flask(__name__)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.globals |= {"desk": desk, "words": words, "offers": offers}
    app.jinja_env.filters |= {"kind": words.kind, "tells": words.tells}
    app.register_error_handler(Exception, _explained)
    app.register_blueprint(people_pages.pages(desk))
    _add_album(app, desk)
    _add_photo(app, desk)
    _add_pictures(app, desk)
    return app


def _add_album(app: Flask, desk: Desk) -> None:
    """Add the grid, and what tells an open page about changes."""

    @app.get("/")
    def album() -> str:
        return render_template("album.html", photos=desk.album.photos)

    @app.get("/summary")
    def summary() -> str:
        return render_template("_summary.html")

    @app.get("/tile/<int:number>")
    def tile(number: int) -> str:
        return render_template("_tile.html", photo=_photo(desk, number))

    @app.get("/state")
    def state() -> dict[str, Any]:
        return _state(desk, request.args.get("since", 0, int))

    @app.post("/publish")
    def publish() -> BaseResponse:
        desk.publisher.start(desk.album.photos)
        return _back("album")

    @app.get("/page.css")
    def page_css() -> Response:
        return Response(page_style(), mimetype="text/css")

    @app.get("/slider.js")
    def slider() -> Response:
        return Response(slider_script(), mimetype="text/javascript")


def _add_photo(app: Flask, desk: Desk) -> None:
    """Add the view of one photo, and what can be said there."""

    @app.get("/photo/<int:number>")
    def photo(number: int) -> str:
        return render_template("photo.html", **_view(desk, _photo(desk, number)))

    @app.get("/panel/<int:number>")
    def panel(number: int) -> str:
        return render_template("_panel.html", **_view(desk, _photo(desk, number)))

    @app.post("/photo/<int:number>")
    def say(number: int) -> BaseResponse:
        one, what = _photo(desk, number), request.form.get("say")
        if what == "publish":
            desk.publisher.start([one])
        elif what == "again":
            desk.maker.again([one])
        elif what in {"as_it_is", "hold", "weak", "strict"}:
            desk.accept(one, str(what))
        else:
            raise ConfigError(f"{what!r} cannot be said about a photo.")
        return _back("photo", number=number)

    @app.post("/photo/<int:number>/face/<box>")
    def say_of_face(number: int, box: str) -> BaseResponse:
        one, what = _photo(desk, number), request.form.get("say", "")
        if what in {"name_all", "name_one"}:
            name = request.form.get("name", "")
            all_photos, sure = what == "name_all", "sure" in request.form
            desk.corrector.name(one, _box(box), name, all_photos=all_photos, sure=sure)
        else:
            desk.corrector.say(one, _box(box), what)
        return _back("photo", number=number)


def _add_pictures(app: Flask, desk: Desk) -> None:
    @app.get("/photo/<int:number>/<which>/<edge>.jpg")
    def picture(number: int, which: str, edge: str) -> Response:
        if edge not in EDGES:
            abort(404)
        return _jpeg(desk.pictures.photo(_photo(desk, number), _which(which), EDGES[edge]))

    @app.get("/photo/<int:number>/face/<box>/<which>.jpg")
    def face(number: int, box: str, which: str) -> Response:
        return _jpeg(desk.pictures.face(_photo(desk, number), _box(box), _which(which)))


def _state(desk: Desk, since: int) -> dict[str, Any]:
    """Return what has changed since a version of the album, and how far things are."""
    album, publishing = desk.album, desk.publisher.progress
    version, looked, left = album.version, desk.maker.looked, words.left(desk.maker.left)
    return {
        "version": version,
        "busy": desk.maker.busy or publishing.busy,
        "summary": [version, looked, left, publishing.done, publishing.total],
        "photos": {
            one.number: [one.version, words.state(one).text, round(one.share, 2)]
            for one in album.photos
            if one.version > since or one.step
        },
    }


def _view(desk: Desk, photo: Photo) -> dict[str, Any]:
    """Return what the view of a photo shows."""
    try:
        size = desk.pictures.size(photo)
    except (NotShownError, InputError):
        size = None
    total = len(desk.album.photos)
    return {
        "photo": photo,
        "size": size,
        "before": photo.number - 1 or None,
        "after": photo.number + 1 if photo.number < total else None,
        "faces": [(face, desk.corrector.of(photo, face.found)) for face in photo.faces],
        "nofaces": desk.corrector.none(photo),
        "names": [one.name for one in desk.roster.everybody() if one.name],
    }


def _photo(desk: Desk, number: int) -> Photo:
    found = desk.album.photo(number)
    return abort(404) if found is None else found


def _box(text: str) -> Box:
    numbers = text.split("-")
    if len(numbers) != 4 or not all(one.isascii() and one.isdigit() for one in numbers):
        abort(404)
    x, y, w, h = map(int, numbers)
    return x, y, w, h


def _which(text: str) -> Which:
    return WHICH[text] if text in WHICH else abort(404)


def _jpeg(data: bytes) -> Response:
    return Response(data, mimetype="image/jpeg")


def _back(page: str, **place: Any) -> BaseResponse:
    """Have the browser ask for a page, so that reloading it does not say things twice."""
    return redirect(url_for(page, **place), 303)


def _explained(error: Exception) -> tuple[str, int]:
    """Say what went wrong, on a page that leads back."""
    if isinstance(error, HTTPException):
        return render_template("message.html", text=error.description), error.code or 500
    if isinstance(error, NotShownError | InputError):
        return render_template("message.html", text=str(error)), 404
    if isinstance(error, TogetherError):
        said = [*request.form.items(), ("sure", "yes")]
        return render_template("message.html", text=str(error), said=said), 409
    if isinstance(error, PhotocloakError):
        return render_template("message.html", text=str(error)), 409
    _LOG.debug("", exc_info=error)
    text = f"Unexpected {type(error).__name__}: {error}. This is a mistake in photocloak."
    return render_template("message.html", text=text), 500
