"""`photocloak demo`: the whole thing on a portrait that ships."""

import json
import tempfile
from pathlib import Path

import click


@click.command()
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("photocloak-demo"),
    show_default=True,
    help="Folder for the three pictures.",
)
@click.option("--json", "as_json", is_flag=True, help="The outcome as a JSON object on stdout.")
def demo(output: Path, as_json: bool) -> int:
    """Cloak a portrait that ships, and show what changed.

    Writes `before`, `after` and `difference` (what changed, ten times as strong, on grey). The
    portrait is NASA's of Eileen Collins, in the public domain. Your own people are not touched.
    """
    from photocloak.core import manifest_root
    from photocloak.plugin.assembly import load_engine, open_outputs, open_pipeline
    from photocloak.plugin.demo import write_demo
    from photocloak.plugin.progress import make_progress, say, shown
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders

    folders = Folders.of_user()
    settings = load_settings(folders.settings)
    portrait = manifest_root() / "demo" / "astronaut.png"
    show = make_progress("auto", [portrait])
    with tempfile.TemporaryDirectory(prefix="photocloak-demo-") as place:
        private = Folders(folders.config, Path(place))
        pipeline = open_pipeline(load_engine(settings, folders), private)
        try:
            outcome, paths = write_demo(
                pipeline,
                portrait,
                output,
                outputs=open_outputs(folders),
                mode=settings.mode,
                private=private.data / "cloaked",
                tell=show.event,
            )
            show.end(outcome)
        finally:
            show.close()
    if paths:
        say(f"before, after, and what changed: {', '.join(map(shown, paths))}")
    if as_json:
        click.echo(json.dumps(outcome.as_json() | {"directory": str(Path.cwd())}))
    return outcome.code
