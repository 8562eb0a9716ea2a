"""`photocloak check`: what would a file give away."""

import json
from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file on stdout.")
def check(paths: tuple[Path, ...], as_json: bool) -> int:
    """Tell what photos would give away: embedded pictures, names, places, serials, known faces.

    PATH are photos and folders of photos. A face is known when it looks like somebody of
    `photocloak people list`: it is not cloaked, then.
    """
    from photocloak import exporters
    from photocloak.plugin.assembly import load_engine, open_outputs, open_people
    from photocloak.plugin.check import Auditor
    from photocloak.plugin.pipeline.job import exit_code
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.inputs import require_photos

    photos = require_photos(paths, exporters.suffixes()).photos
    folders = Folders.of_user()
    engine = load_engine(load_settings(folders.settings), folders)
    auditor = Auditor(engine, open_people(engine, folders), open_outputs(folders))
    codes = []
    for photo in photos:
        audit = auditor(photo.source)
        codes.append(audit.code)
        for text in [json.dumps(audit.as_json())] if as_json else audit.lines():
            click.echo(text)
    return exit_code(codes)
