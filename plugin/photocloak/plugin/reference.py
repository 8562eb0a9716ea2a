"""docs/reference/command-line.md, made from the commands: run this module, it prints it."""

import inspect
import sys
from collections.abc import Iterator

import click

from photocloak.plugin.main import photocloak

_HEAD = """# The command line

Made from the commands by `python -m photocloak.plugin.reference`; do not edit. Every command also
has `-h` and `--help`, which print its section here.

Results go to stdout, words for people to stderr. More on [the JSON](json.md),
[exit codes](exit-codes.md), [which files are taken from folders](what-is-taken.md),
[modes and settings](settings.md) and [presets](presets.md).
"""


def document() -> str:
    """Return the document."""
    top = click.Context(photocloak, info_name="photocloak", **photocloak.context_settings)
    return "\n".join([_HEAD, *_command(top)]).rstrip() + "\n"


def _command(context: click.Context) -> Iterator[str]:
    """Give the section of a command, then those of the commands below it."""
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"## `{context.command_path}`\n"
    yield f"```\n{usage}\n```\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    if rows := list(_options(context)):
        yield from ("| option | meaning |", "|---|---|", *rows, "")
    for name, below in sorted(getattr(command, "commands", {}).items()):
        yield from _command(click.Context(below, info_name=name, parent=context))


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            names, meaning = (text.replace("|", "\\|").replace("  ", " ") for text in record)
            yield f"| `{names}` | {meaning} |"


if __name__ == "__main__":
    sys.stdout.write(document())
