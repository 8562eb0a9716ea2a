"""docs/reference/what-is-kept.md, made from the tables: run this module, it prints it."""

import sys
from collections.abc import Iterator

from photocloak.exporters.leaks.tables import table

_HEAD = """# What is kept

Made from `manifests/kept/*.toml` by `python -m photocloak.exporters.leaks.reference`; do not edit.

A file that photocloak writes under `keep` holds its picture and what is listed here, nothing else.
Whatever else the source has is dropped and named in the result. What stands here stays byte for
byte as long as it is what it should be: a text that can be read, numbers of their size, a structure
that hangs together. Previews in any of it are made anew from the cloaked pixels.
"""


def document() -> str:
    """Return the document."""
    return "\n".join([_HEAD, *_formats(), *_limits(), *_metadata()]).rstrip() + "\n"


def _formats() -> Iterator[str]:
    yield "## JPEG: segments\n"
    yield "| segment | marker | holds | at most |"
    yield "|---|---|---|---|"
    for name, form in table("jpeg")["segments"].items():
        yield f"| {name} | {form['marker']} | {form['holds']} | {_size(form)} |"
    for title, name in (("PNG", "png"), ("WebP", "webp")):
        yield f"\n## {title}: chunks\n"
        yield "| chunk | holds | at most |"
        yield "|---|---|---|"
        for key, form in table(name)["chunks"].items():
            yield f"| `{key.strip().replace(chr(0), '␀')}` | {form['holds']} | {_size(form)} |"
    yield "\n## HEIC and AVIF: items\n"
    yield "Written anew by their encoders; no box and no item of the source comes along.\n"
    yield from (f"- {key}: {form['holds']}" for key, form in table("heif")["items"].items())
    yield "\n## TIFF\n"
    yield "The first page's strips or tiles and the tags below; every other byte is overwritten."


def _size(form: dict[str, object]) -> str:
    return f"{form['bytes']} bytes" if "bytes" in form else ""


def _limits() -> Iterator[str]:
    yield "\n## What may be short and unreadable\n"
    yield "Characters or bytes, by kind; strict and pieces hold for a file that had more in all.\n"
    kinds = list(table("limits")["file"])
    yield f"| | {' | '.join(kinds)} |"
    yield "|---|" + "---|" * len(kinds)
    for name in ("value", "strict", "file", "pieces"):
        row = table("limits")[name]
        yield f"| {name} | {' | '.join(str(row[kind]) for kind in kinds)} |"


def _metadata() -> Iterator[str]:
    yield "\n## EXIF and TIFF: tags\n"
    kinds = table("exif")["kinds"]
    for directory, tags in table("exif")["tags"].items():
        yield f"**{directory}**: {', '.join(tags.values())}.\n"
    yield "Texts that can be read, and numbers of 64 bytes at most, but for:\n"
    yield from (f"- {name}: {form['kind']}{_most(form)}" for name, form in kinds.items())
    yield "\n## MakerNotes\n"
    yield from _makers()
    yield "\n## XMP\n"
    yield "Every property, of any name space, whose value can be read, is numbers or short. But:\n"
    for space, names in table("xmp")["pictures"].items():
        yield f"- `{space}` goes: {', '.join(names) or 'all of it'}"
    for space, grammars in table("xmp")["grammar"].items():
        listed = ", ".join(f"{name} ({grammar})" for name, grammar in grammars.items())
        yield f"- `{space}` may be long where its grammar is proved: {listed}"
    for kind, what in (("identifiers", "an identifier"), ("ascending", "a sorted list of them")):
        for space, names in table("xmp")[kind].items():
            yield f"- `{space}` may hold {what}: {', '.join(names)}"
    yield "\n## IPTC: datasets\n"
    for record, names in table("iptc")["record"].items():
        yield f"**Record {record}**: {', '.join(names.values())}.\n"
    yield "## Photoshop: resources\n"
    yield "| number | name | kind | at most |"
    yield "|---|---|---|---|"
    for key, form in table("photoshop")["resources"].items():
        yield f"| {key} | {form['name']} | {form['kind']} | {_size(form)} |"
    yield "\n## Colour profiles: types of tags\n"
    yield "| type | kind | at most |"
    yield "|---|---|---|"
    for key, form in table("icc")["types"].items():
        yield f"| `{key.strip()}` | {form['kind']} | {_size(form)} |"


def _most(form: dict[str, object]) -> str:
    return f", {form['bytes']} bytes at most" if "bytes" in form else ""


def _makers() -> Iterator[str]:
    makers = table("makernotes")
    yield f"Directories of {', '.join(makers['makes'])} are understood; other notes go.\n"
    yield "A tag without a name in the tables is kept up to 64 bytes, one with a name up to 512,"
    yield "or as long as said here:\n"
    for name, tags in makers["tags"].items():
        longer = makers["long"].get(name, {})
        said = ", ".join(f"{tags.get(key, key)} {size}" for key, size in longer.items())
        yield f"- {name}: {len(tags)} names{'; ' + said if said else ''}"


if __name__ == "__main__":
    sys.stdout.write(document())
