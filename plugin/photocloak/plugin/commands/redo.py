"""Photos made once more as they were made before, for the people as they are now."""

from collections.abc import Sequence
from contextlib import closing
from functools import cache

from photocloak.plugin.assembly import Recipe
from photocloak.plugin.commands.running import open_run, run
from photocloak.plugin.commands.streams import Streams
from photocloak.plugin.pipeline.job import done_like, exit_code
from photocloak.plugin.progress import make_progress, say, shown
from photocloak.plugin.settings import load_settings
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.storage.results import Result

NAMED = 10
"""Photos that are named; of more it is said how many."""


def tell(results: Sequence[Result]) -> None:
    """Name the outputs that teach another target than their person now has."""
    count = len(results)
    what = "1 output teaches" if count == 1 else f"{count} outputs teach"
    say(f"{what} the other target still:")
    for one in results[:NAMED]:
        say(f"  {shown(one.made)}")
    if count > NAMED:
        say(f"  and {count - NAMED} more")
    say("The command that made them makes them again.")


def cloak_again(results: Sequence[Result], folders: Folders) -> int:
    """Do photos again, with the options that they were done with; return the exit status.

    What an earlier version wrote, without noting how, is left to the user's own command.
    """
    known = [one for one in results if one.how is not None]
    if len(known) < len(results):
        say(f"{len(results) - len(known)} were made by an earlier photocloak: give that command.")
    if not known:
        return 0
    jobs = [done_like(one.source, one.folder, one.how or {}) for one in known]
    recipe = Recipe(load_settings(folders.settings), folders)
    sources = [job.source for job in jobs]
    with (
        open_run(recipe, jobs, make=cache(recipe)) as pipeline,
        closing(make_progress("auto", sources)) as show,
    ):
        outcomes = run(pipeline, jobs, show, Streams(), as_json=False)
    return exit_code([one.code for one in outcomes])
