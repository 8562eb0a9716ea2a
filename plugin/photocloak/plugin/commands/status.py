"""`photocloak status`: what the daemon is doing."""

import json

import click


@click.command()
@click.option("-v", "--verbose", is_flag=True, help="List what is passed over, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an output folder on stdout.")
def status(*, verbose: bool, as_json: bool) -> None:
    """Show queue, rate, time to go and the latest problems of `photocloak watch`."""
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.watch.status import daemon_statuses

    found = daemon_statuses(Folders.of_user(), verbose=verbose)
    for one in found:
        click.echo(json.dumps(one.as_json()) if as_json else "\n".join(one.lines()))
    if not found and not as_json:
        click.echo("nothing was ever watched; see `photocloak watch --help`", err=True)
