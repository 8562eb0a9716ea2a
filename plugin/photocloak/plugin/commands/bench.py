"""`photocloak bench`: how fast it is on this machine."""

import json
from pathlib import Path

import click


@click.command()
@click.option(
    "--repeats",
    metavar="N",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Of how many measurements the medians are.",
)
@click.option("--json", "as_json", is_flag=True, help="The figures as a JSON object on stdout.")
@click.option(
    "--page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the figures with plots to an HTML file, too.",
)
def bench(*, repeats: int, as_json: bool, page: Path | None) -> int:
    """Measure how long recognisers, whole photos and a start take on this machine.

    With PyTorch installed it runs the same graphs there, in turns with ours. Photos are made of a
    portrait that ships; your own people are not touched. Takes some minutes, best with nothing
    else running.
    """
    from photocloak.plugin.bench.page import page as drawn
    from photocloak.plugin.bench.run import bench as measure
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders

    folders = Folders.of_user()
    found = measure(load_settings(folders.settings), folders, repeats=repeats)
    if page is not None:
        page.write_bytes(drawn(found))
    click.echo(json.dumps(found.as_json()) if as_json else "\n".join(found.lines()))
    return 0
