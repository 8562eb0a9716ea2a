"""`photocloak doctor`: is everything there, and is it what it should be."""

import json

import click

from photocloak.core import ExitCode


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def doctor(as_json: bool) -> int:
    """Check models, runtime, versions, settings and folders."""
    from photocloak.plugin.doctor import examine
    from photocloak.plugin.storage.folders import Folders

    findings = examine(Folders.of_user())
    if as_json:
        click.echo(json.dumps({one.subject: one.as_json() for one in findings}))
    else:
        for one in findings:
            click.echo(f"{'ok  ' if one.code is None else 'BAD '} {one.subject}: {one.detail}")
    return next((one.code for one in findings if one.code is not None), ExitCode.OK)
