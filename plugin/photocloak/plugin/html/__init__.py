"""Self-contained HTML pages: markup that cannot be broken out of, a skeleton, plots.

A page is one file with its style, script and pictures inside. Its content security policy lets
nothing be fetched and no other script run.

    from photocloak.plugin.html import Bar, bars, document, tag

    data = document("Evaluation", tag("h1", "Evaluation"), bars("Taken for somebody else", …))
"""

from photocloak.plugin.html.document import document, page_style, slider_script
from photocloak.plugin.html.markup import Html, join, table, tag, text
from photocloak.plugin.html.plots import Bar, Series, Strip, bars, curves, histogram, strips

__all__ = [
    "Bar",
    "Html",
    "Series",
    "Strip",
    "bars",
    "curves",
    "document",
    "histogram",
    "join",
    "page_style",
    "slider_script",
    "strips",
    "table",
    "tag",
    "text",
]
