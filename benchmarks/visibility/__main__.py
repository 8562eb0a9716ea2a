"""A blind look: sets of portraits for judges, and what their answers come to.

python -m benchmarks.visibility build SOURCE... --out SETS --key KEY.json --mode balanced
python -m benchmarks.visibility score KEY.json ANSWERS.csv...
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import platformdirs

from benchmarks.visibility.answers import read_answers
from benchmarks.visibility.build import build, check_places
from benchmarks.visibility.design import CONTROL
from benchmarks.visibility.key import read_key
from benchmarks.visibility.scores import by_face, remarks, report
from benchmarks.visibility.sources import Source, find_ready, find_sources
from benchmarks.visibility.versions import cloak
from photocloak.core import ConfigError, PhotocloakError
from photocloak.engine.detection.detector import Detector
from photocloak.engine.modes import load_mode
from photocloak.plugin.evaluation.cache import Cache
from photocloak.plugin.evaluation.cloaks import load_product
from photocloak.plugin.settings import load_settings
from photocloak.plugin.storage.folders import Folders, models_folder

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def looks() -> None:
    """Show portraits to judges who do not know which are cloaked, and count their answers."""


@looks.command(name="build")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--faces", type=FILE, help="TOML file that names photos of the one folder SOURCES.")
@click.option("--mode", "modes", multiple=True, help="A mode to cloak with; several times.")
@click.option(
    "--ready",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Pictures made elsewhere, named as the photos; several times.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the sets.")
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="File for what judges must not see.",
)
def build_sets(
    *,
    sources: tuple[Path, ...],
    faces: Path | None,
    modes: tuple[str, ...],
    ready: tuple[str, ...],
    out: Path,
    key: Path,
) -> None:
    """Write sets of portraits, one folder a judge, half of them only saved again."""
    check_places(out, key)
    found = find_sources(sources, faces)
    versions = {name: find_ready(folder, found) for name, folder in _named(ready, modes)}
    if modes:
        versions |= _cloaked(found, modes)
    entries = build(found, versions, out, key, Detector(cache=models_folder()))
    sets = len({one.set for one in entries.values()})
    photos = len({one.photo for one in entries.values()})
    click.echo(f"{out}: {sets} sets, {photos} photos in {', '.join([CONTROL, *versions])}")


@looks.command()
@click.argument("key", type=FILE)
@click.argument("answers", nargs=-1, required=True, type=FILE)
@click.option("--remarks", "named", is_flag=True, help="Also what judges said of each picture.")
@click.option("--by-face", "faces", is_flag=True, help="Also shares by what a face shows.")
def score(*, key: Path, answers: tuple[Path, ...], named: bool, faces: bool) -> None:
    """Count ANSWERS, a file a judge, by version."""
    entries = read_key(key)
    given = []
    for path in answers:
        judged = read_answers(path, entries)
        given += judged
        for one in sorted({answer.entry.set for answer in judged}):
            shown = sum(entry.set == one for entry in entries.values())
            done = sum(answer.entry.set == one for answer in judged)
            click.echo(f"{path}: {done} of the {shown} pictures of {one}")
    for line in report(given):
        click.echo(line)
    for line in by_face(given) if faces else ():
        click.echo(line)
    for line in remarks(given) if named else ():
        click.echo(line)


def _named(ready: Sequence[str], modes: Sequence[str]) -> list[tuple[str, Path]]:
    """Return names and folders of ready versions; ConfigError: one is not of that form."""
    pairs = []
    for one in ready:
        name, _, folder = one.partition("=")
        if not name or not Path(folder).is_dir() or not folder:
            raise ConfigError(f"--ready {one}: is not NAME=FOLDER with a folder that is there.")
        pairs.append((name, Path(folder)))
    names = [name for name, _ in pairs] + list(modes) + [CONTROL]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"{', '.join(sorted(twice))}: two versions cannot have one name.")
    return pairs


def _cloaked(sources: Sequence[Source], modes: Sequence[str]) -> dict[str, dict[Path, Path]]:
    for mode in modes:
        load_mode(mode)
    folders = Folders.of_user()
    cache = Cache(platformdirs.user_cache_path("photocloak") / "evaluation")
    _, product = load_product(cache, (), folders, load_settings(folders.settings))
    return {mode: cloak(sources, mode, product) for mode in modes}


def main() -> None:
    """Run the command; a mistake of the user's is one sentence."""
    try:
        looks()
    except PhotocloakError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
