"""`photocloak evaluate`: how often a stranger's recogniser fails on people who cloak."""

from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option(
    "--data",
    metavar="DIR",
    required=True,
    type=FOLDER,
    help="Photos to measure with, a sub-folder a person.",
)
@click.option(
    "--mode",
    "modes",
    metavar="MODE",
    multiple=True,
    default=("balanced",),
    show_default=True,
    help="Whose cloaks to measure; may be given several times.",
)
@click.option(
    "--protected",
    metavar="P",
    type=click.IntRange(1),
    help="How many of the people cloak their photos (10, or half of fewer than 20).",
)
@click.option(
    "--third",
    "thirds",
    multiple=True,
    type=click.Choice(["development", "confirmation", "sealed"]),
    default=("development",),
    show_default=True,
    help="Which people, every third by name; may be given several times.",
)
@click.option(
    "--leave-out",
    metavar="NAME",
    multiple=True,
    help="An extractor to cloak without: it plays a stranger. May be given several times.",
)
@click.option("--trackers", metavar="DIR", type=FOLDER, help="Models of strangers.")
@click.option(
    "--descriptions",
    metavar="DIR",
    type=FOLDER,
    help="TOML files that describe those models, where they do not lie beside them.",
)
@click.option(
    "--crowd",
    metavar="DIR",
    type=FOLDER,
    help="Photos of other people, for the thresholds of models whose TOML file states none.",
)
@click.option(
    "--release",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Log of release figures; needed for --trackers and the sealed third.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("photocloak-evaluation"),
    show_default=True,
    help="Folder for results.json, results.csv and index.html.",
)
def evaluate(*, release: Path | None, out: Path, **options: Any) -> int:
    """Measure how well cloaks protect, and how much of them there is to see.

    Some people's photos are cloaked, as `photocloak cloak` does it; recognisers then train on
    these and on everybody else's clean photos, and try to name the cloaking people in clean
    photos. Whatever was computed before is taken from the cache folder.
    """
    import shlex
    import sys
    from contextlib import closing

    import platformdirs

    from photocloak.plugin.evaluation.cache import Cache
    from photocloak.plugin.evaluation.page import page
    from photocloak.plugin.evaluation.release import require_log, write_log
    from photocloak.plugin.evaluation.results import as_csv, as_json, dump, write
    from photocloak.plugin.evaluation.run import Experiment
    from photocloak.plugin.evaluation.run import evaluate as measure
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders

    plan = Experiment(**options)
    require_log(release, plan.trackers, plan.thirds)
    command = shlex.join(["photocloak", *sys.argv[1:]])
    if release is not None:
        write_log(release, command, [one.name for one in plan.strangers()], plan.thirds)
    folders = Folders.of_user()
    with closing(Cache(platformdirs.user_cache_path("photocloak") / "evaluation")) as cache:
        found = measure(plan, cache, folders, load_settings(folders.settings))
        table = as_json(found, command)
        write(out, "results.json", dump(table))
        write(out, "results.csv", as_csv(list(found.rows)))
        click.echo(write(out, "index.html", page(found, table)))
    return 0
