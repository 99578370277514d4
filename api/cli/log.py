"""
`lastgood log`: the transparency log's name, keys and newest checkpoint; a new key; a new log.
"""
# ruff: noqa: PLC0415 - everything heavy is imported by the verb that needs it

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli import options, show
from api.cli.exits import Stopped
from api.cli.operate import DATA, settings_of, told

if TYPE_CHECKING:
    from api.config import Settings


@click.group()
def log() -> None:
    """Show the transparency log's name and keys, replace its key, or begin a new log."""


@log.command("show", params=[DATA, options.output("text", "json")])
def show_(data: str | None, output: str) -> None:
    """The log's name, public keys (newest first) and newest checkpoint, as they are in the files."""
    settings = settings_of({"data": data})
    with told():
        found = _found(settings)
    if output == "json":
        show.print_json(found)
        return
    click.echo(f"name        {found['origin']}\nfiles       {found['folder']}")
    for number, key in enumerate(found["keys"]):
        click.echo(f"{'older key ' if number else 'key in use'}  {key}")
    click.echo(f"checkpoint  {found['size']} events, root {found['root']}" if found["root"] else "checkpoint  none yet")


def _found(settings: "Settings") -> dict[str, Any]:
    from api.transparency import place_of
    from ledger.checkpoint import open_checkpoint
    from ledger.checkpoints import CHECKPOINTS, read_newest
    from ledger.log_keys import read_keys
    from ledger.note import encode_base64

    place = _begun(place_of(settings))
    keys = read_keys(place)
    note = read_newest(place / CHECKPOINTS)
    newest = None if note is None else open_checkpoint(note, keys[0].name, keys).checkpoint
    return {
        "origin": keys[0].name,
        "folder": str(place),
        "keys": [each.vkey() for each in keys],
        "size": newest.size if newest else 0,
        "root": encode_base64(newest.root) if newest else None,
    }


@log.command("rotate-key", params=[DATA, options.output("text", "json")])
def rotate_key(data: str | None, output: str) -> None:
    """
    Replace the key that signs the log, also while a server runs.

    The old private key is gone then; its public half stays published, so
    what it signed can be verified for ever. Tell the new public key to
    witnesses and to whoever pinned the old one.
    """
    settings = settings_of({"data": data})
    with told():
        from api.transparency import place_of
        from ledger import log_keys

        vkey = log_keys.rotate_key(_begun(place_of(settings))).vkey()
    if output == "json":
        show.print_json({"key": vkey})
    else:
        click.echo("checkpoints are signed with the new key from the next one on; its public half is", err=True)
        click.echo(vkey)


@log.command("restart", params=[DATA, options.output("text", "json")])
def restart(data: str | None, output: str) -> None:
    """
    Begin a new log over the record as it is, where what was signed is lost for good.

    The old log's files are moved aside and kept: they are the evidence of
    what was lost. The new log has another name and another key, so that
    nobody takes it for the old one.
    """
    settings = settings_of({"data": data})
    with told():
        from api import log_restart

        begun = log_restart.restart(settings)
    if output == "json":
        show.print_json({"origin": begun.origin, "key": begun.key, "kept": str(begun.kept) if begun.kept else None})
        return
    old = f"what is left of the old log is kept in {begun.kept}" if begun.kept else "nothing of the old log was left"
    click.echo(f"{old}; the next start seals the record under the name {begun.origin}", err=True)
    click.echo(begun.key)


def _begun(place: Path) -> Path:
    if not place.is_dir():
        raise Stopped(
            f"there is no log in {place} yet", "`lastgood serve` begins one; LASTGOOD_DATA names another folder"
        )
    return place
