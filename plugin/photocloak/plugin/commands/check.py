"""`photocloak check`: would these files give a face away."""

import json
from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file on stdout.")
def check(paths: tuple[Path, ...], as_json: bool) -> int:
    """Tell whether files would give a face away, and what else they tell.

    PATH are files and folders. Of each file it says: not cloaked, hides a clean picture, could not
    look (RAW, video, GIF, damaged), cloaked but weak, cloaked, or no face; then which names,
    places, serial numbers and histories are in it. Cloaked is what photocloak wrote on this
    computer, as it was written. The exit status is 0 only if every face found is well cloaked.
    """
    from collections import Counter

    from photocloak.core import InputError
    from photocloak.plugin.assembly import (
        load_engine,
        open_corrections,
        open_outputs,
        open_people,
        open_results,
    )
    from photocloak.plugin.audit import Sum
    from photocloak.plugin.check import Auditor, content_of
    from photocloak.plugin.pipeline.job import exit_code
    from photocloak.plugin.progress import say
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.inputs import passed_over

    content = content_of(paths)
    if not content.files and not content.blind:
        raise InputError(f"There are no photos in {', '.join(map(str, paths))}; name some.")
    folders = Folders.of_user()
    engine = load_engine(load_settings(folders.settings), folders)
    people, outputs = open_people(engine, folders), open_outputs(folders)
    results, corrections = open_results(folders), open_corrections(folders)
    auditor = Auditor(engine, people, outputs, results, corrections)
    codes, total = [], Sum()
    for audit in (*map(auditor, content.files), *content.blind):
        codes.append(audit.code)
        total.states[audit.state] += 1
        for text in [json.dumps(audit.as_json())] if as_json else audit.lines():
            click.echo(text)
    if len(codes) > 1 or content.passed:
        left = passed_over(Counter(seen.kind for seen in content.passed if seen.kind))
        say(" · ".join(filter(None, [total.line(), left])))
    return exit_code(codes)
