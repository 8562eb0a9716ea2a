"""The command `photocloak`: its group of commands, and the one handler of errors.

Nothing heavy is imported here or at the top of a command's module, so that `--help` and mistyped
options answer at once.
"""

import logging
import os
import sys
from collections.abc import Sequence

import click

from photocloak.core import ExitCode, PhotocloakError
from photocloak.core.debugging import show_debugging
from photocloak.plugin.commands.bench import bench
from photocloak.plugin.commands.beside import beside
from photocloak.plugin.commands.check import check
from photocloak.plugin.commands.cloak import cloak
from photocloak.plugin.commands.demo import demo
from photocloak.plugin.commands.doctor import doctor
from photocloak.plugin.commands.evaluate import evaluate
from photocloak.plugin.commands.install import install, uninstall
from photocloak.plugin.commands.people import people
from photocloak.plugin.commands.presets import presets
from photocloak.plugin.commands.report import report
from photocloak.plugin.commands.retry import retry
from photocloak.plugin.commands.review import review
from photocloak.plugin.commands.serve import serve
from photocloak.plugin.commands.status import status
from photocloak.plugin.commands.targets import targets
from photocloak.plugin.commands.watch import watch

_LOG = logging.getLogger("photocloak")


def _debug(_context: click.Context, _option: click.Parameter, on: bool) -> None:
    if on:
        show_debugging()


def _version(context: click.Context, _option: click.Parameter, on: bool) -> None:
    if on:
        from importlib.metadata import version

        click.echo(f"photocloak {version('photocloak')}")
        context.exit()


@click.group(
    commands=[
        cloak,
        beside,
        review,
        watch,
        serve,
        status,
        retry,
        report,
        check,
        people,
        presets,
        targets,
        install,
        uninstall,
        doctor,
        demo,
        evaluate,
        bench,
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--debug", is_flag=True, expose_value=False, callback=_debug, help="Show where an error arose."
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version and exit.",
)
def photocloak() -> None:
    """Cloak the faces in photos before they are published.

    Face recognisers that are trained on cloaked photos learn the wrong person. Everything happens
    on this machine.
    """


def main() -> None:
    """Run the command line and exit with its status; see `photocloak.core.errors`."""
    # NumPy's products here are small: a second BLAS thread only takes the extractors' cores, and
    # sums in another order, so that a process with fewer cores would not come to the same bytes.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its status."""
    try:
        status = photocloak.main(list(arguments), prog_name="photocloak", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show(sys.stderr)
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt) as interrupt:
        more = (interrupt.__cause__ or interrupt).args  # click raises its own from it
        _say("; ".join(["interrupted", "nothing half-done was left behind", *more]))
        return ExitCode.INTERRUPTED
    except PhotocloakError as error:
        _LOG.debug("", exc_info=True)
        _say(str(error))
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not fail again flushing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.UNEXPECTED
    except Exception as error:
        _LOG.debug("", exc_info=True)
        _say(
            f"unexpected {type(error).__name__}: {error}\n"
            "This is a mistake in photocloak; `photocloak --debug …` shows where."
        )
        return ExitCode.UNEXPECTED
    return status or ExitCode.OK


def _say(text: str) -> None:
    click.echo(f"photocloak: {text}".encode("utf-8", "replace"), file=sys.stderr.buffer)
