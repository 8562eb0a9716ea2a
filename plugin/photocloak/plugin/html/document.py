"""The skeleton of a page: one file, from which no request can leave."""

import base64
import hashlib
from importlib.resources import files

from photocloak.plugin.html.markup import Child, Html, join, tag


def document(title: str, *body: Child, style: str = "", script: str = "") -> bytes:
    """Return a whole page, UTF-8.

    Args:
        title: of the page; `body` brings its own heading.
        body: what goes into `main`.
        style: CSS besides that of every page; an element cannot have a `style` attribute.
        script: JavaScript, run when the page is there.

    """
    css = page_style() + style
    scripts = _allowed(script) if script else "'none'"
    policy = [
        "default-src 'none'",
        "img-src data:",
        f"style-src {_allowed(css)}",
        f"script-src {scripts}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content="; ".join(policy)),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", Html(css)),
    ]
    page = tag(
        "html",
        tag("head", *head),
        tag(
            "body",
            tag("main", *body),
            tag("script", Html(script)) if script else None,
        ),
        lang="en",
    )
    return join([Html("<!DOCTYPE html>\n"), page, Html("\n")]).encode("utf-8")


def page_style() -> str:
    """Return the CSS of every page."""
    return (files(__package__) / "page.css").read_text("utf-8")


def slider_script() -> str:
    """Return the JavaScript of every slider between original and cloak."""
    return (files(__package__) / "slider.js").read_text("utf-8")


def _allowed(source: str) -> str:
    """Return how a policy names exactly this style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
