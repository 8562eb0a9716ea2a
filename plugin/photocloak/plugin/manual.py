"""The manual pages in `manifests/man/`, made from the commands as their help is.

    python -m photocloak.plugin.manual

writes them; a test compares. `photocloak install shell` puts them where `man` looks.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from photocloak.core import ExitCode, manifest_root
from photocloak.plugin.main import photocloak

STATUS = {
    ExitCode.OK: "Done.",
    ExitCode.UNEXPECTED: "Something unexpected, a mistake in photocloak.",
    ExitCode.USAGE: "A command or option that does not exist, or does not fit.",
    ExitCode.CONFIG: "A setting, preset or value that cannot be used.",
    ExitCode.INPUT: "A photo that cannot be read.",
    ExitCode.NO_FACE: "Held back: no face to cloak, or one that cannot be cloaked.",
    ExitCode.MODEL: "A model or its runtime that cannot be used.",
    ExitCode.OUTPUT: "A place that cannot be written.",
    ExitCode.TOO_WEAK: "Held back: the cloak came out too weak.",
    ExitCode.SOME_FAILED: "Of several photos, some have a problem.",
    ExitCode.INTERRUPTED: "Interrupted.",
}

FILES = {
    "~/.config/photocloak/settings.toml": "Settings.",
    "~/.config/photocloak/presets/": "Presets of your own; see photocloak-presets(1).",
    "~/.local/share/photocloak/": "What is known of people and of what was written; yours alone.",
}


def pages() -> dict[str, str]:
    """Return the pages by file name: one of photocloak, and one of each of its commands."""
    top = click.Context(photocloak, info_name="photocloak", **photocloak.context_settings)
    found = {"photocloak.1": "\n".join([*_head(top), *_overview(top), *_end(top)]) + "\n"}
    for name, command in photocloak.commands.items():
        context = click.Context(command, info_name=name, parent=top)
        text = "\n".join([*_head(context), *_options(context), *_below(context), *_end(context)])
        found[f"photocloak-{name}.1"] = text + "\n"
    return found


def _head(context: click.Context) -> Iterator[str]:
    title = context.command_path.replace(" ", "-")
    first, text = _help(context.command)
    yield f'.TH "{title.upper()}" "1" "" "photocloak" "User Commands"'
    yield ".SH NAME"
    yield rf"{_roff(title)} \- {_roff(first.rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B {_roff(context.command_path)}"
    yield _roff(" ".join(context.command.collect_usage_pieces(context)))
    yield ".SH DESCRIPTION"
    yield _roff(first)
    for paragraph in text:
        yield from (".PP", _roff(paragraph))


def _overview(context: click.Context) -> Iterator[str]:
    yield ".SH COMMANDS"
    for name, command in photocloak.commands.items():
        yield from (".TP", f".BR photocloak\\-{_roff(name)} (1)", _roff(_help(command)[0]))
    yield from _options(context)


def _below(context: click.Context) -> Iterator[str]:
    """Give the commands of a group, each with its options."""
    if not isinstance(context.command, click.Group):
        return
    yield ".SH COMMANDS"
    for name, command in context.command.commands.items():
        below = click.Context(command, info_name=name, parent=context)
        usage = " ".join([below.command_path, *command.collect_usage_pieces(below)])
        first, text = _help(command)
        yield from (f".SS {_roff(usage)}", _roff(first))
        for paragraph in text:
            yield from (".PP", _roff(paragraph))
        yield from _rows(below)


def _options(context: click.Context) -> Iterator[str]:
    rows = list(_rows(context))
    if rows:
        yield from (".SH OPTIONS", *rows)


def _rows(context: click.Context) -> Iterator[str]:
    for parameter in context.command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield from (".TP", f"\\fB{_roff(record[0])}\\fR", _roff(record[1].replace("  ", " ")))


def _end(context: click.Context) -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code, meaning in STATUS.items():
        yield from (".TP", f".B {code.value}", _roff(meaning))
    yield ".SH FILES"
    for path, meaning in FILES.items():
        yield from (".TP", f".I {_roff(path)}", _roff(meaning))
    others = ["photocloak", *(f"photocloak-{name}" for name in photocloak.commands)]
    own = context.command_path.replace(" ", "-")
    yield ".SH SEE ALSO"
    yield ",\n".join(f".BR {_roff(one)} (1)" for one in others if one != own).replace(",\n", " ,\n")


def _help(command: click.Command) -> tuple[str, list[str]]:
    """Return the first paragraph of a help, and the others, each in one line."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    first, *others = [" ".join(one.split()) for one in paragraphs]
    return first, others


def _roff(text: str) -> str:
    """Escape what roff would understand."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return re.sub(r"^([.'])", r"\\&\1", text)


def write(folder: Path) -> None:
    """Write the pages, and take away those of commands that are no more."""
    folder.mkdir(exist_ok=True)
    made = pages()
    for path in folder.glob("*.1"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(manifest_root() / "man")
