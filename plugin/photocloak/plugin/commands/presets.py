"""`photocloak presets`: which there are, what they do, and one of the user's own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photocloak.core import ConfigError, OutputError

if TYPE_CHECKING:
    from photocloak.exporters import Policy


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a preset on stdout.")
@click.pass_context
def presets(context: click.Context, as_json: bool) -> None:
    """List and explain the presets: what metadata and what size a written file keeps.

    `photocloak cloak --preset NAME` uses one; the setting `preset` always does.
    """
    if context.invoked_subcommand is not None:
        return
    from photocloak import exporters

    own = _folder()
    for name in exporters.policy_names(own):
        try:
            policy = exporters.load_policy(name, own)
        except ConfigError as error:
            click.echo(f"photocloak: {error}", err=True)
            continue
        mine = (own / f"{name}.toml").is_file()
        click.echo(json.dumps(_as_json(policy, mine)) if as_json else _told(policy, mine))


@presets.command()
@click.argument("name")
def new(name: str) -> None:
    """Write a preset of your own called NAME, with a comment on every key, and print its path."""
    from photocloak import exporters
    from photocloak.core import manifest_root

    folder = _folder()
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise ConfigError(f"{name!r} is not a usable name: letters, digits, - and _ are.")
    if name in exporters.policy_names(folder):
        raise ConfigError(f"There is a preset {name} already; choose another name.")
    text = (manifest_root() / "preset.template.toml").read_text("utf-8").replace("@NAME@", name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}).") from error
    path = exporters.publish(text.encode(), folder, name, ".toml", like=None, numbered=False)
    click.echo(path)


def _folder() -> Path:
    from photocloak.plugin.storage.folders import Folders

    return Folders.of_user().config / "presets"


def _told(policy: "Policy", mine: bool) -> str:
    return "\n".join(
        [
            f"{policy.name}{' (your own)' if mine else ''}: {policy.title}",
            f"    writes {_form(policy)}; keeps {_kept(policy)}{_named(policy)}",
        ]
    )


def _form(policy: "Policy") -> str:
    """Say what file is written, and how large."""
    if policy.metadata == "all":
        return "the file as it is but for the faces"
    sides = {"longest edge": policy.edge, "width": policy.width, "height": policy.height}
    parts = [
        policy.format or "the photo's format",
        *(f"{side} at most {pixels} px" for side, pixels in sides.items() if pixels),
        *([f"at most {policy.bytes / 1e6:g} MB"] if policy.bytes else []),
        f"quality {policy.quality}",
    ]
    return ", ".join(parts)


def _kept(policy: "Policy") -> str:
    if policy.metadata == "all":
        return "all metadata: place, names and serial numbers too"
    if policy.metadata == "none":
        return "no metadata but the colour profile"
    return f"{', '.join(policy.fields)} and nothing else"


def _named(policy: "Policy") -> str:
    return "; names give nothing away" if policy.names == "neutral" else ""


def _as_json(policy: "Policy", mine: bool) -> dict[str, object]:
    sizes = ("quality", "subsampling", "width", "height", "edge", "bytes")
    keys = ("name", "title", "metadata", "fields", "format", *sizes, "names")
    return {key: getattr(policy, key) for key in keys} | {"own": mine}
