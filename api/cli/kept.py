"""
Checkpoints that people kept: from any file that holds one.

A checkpoint as /checkpoint gave it, a log's own file of checkpoints, a receipt
with proof, a proof of one event (tlog-proof), or an evidence bundle.
"""

import json
import zipfile
from contextlib import suppress
from pathlib import Path

import click

CHECKPOINT = click.Option(
    ["--checkpoint", "checkpoints"],
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One you kept, to hold it against: a checkpoint, receipt, proof or bundle. More than once for more.",
)


def read_checkpoint(path: Path) -> bytes:
    """
    The signed note in a file, not yet verified.

    Raises:
        click.UsageError: where there is none.
    """
    content = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if "checkpoint" in archive.namelist():
                return archive.read("checkpoint")
    elif content.startswith(b"c2sp.org/tlog-proof@v1\n"):
        return content.partition(b"\n\n")[2]
    elif content.lstrip().startswith(b"{"):
        if note := _in_receipt(content):
            return note
    elif (signed := content.rfind(b"\n\n\xe2\x80\x94 ")) > 0:
        # A log's own file has one after the other, an empty line behind each.
        return content[content.rfind(b"\n\n", 0, signed) + 2 if b"\n\n" in content[:signed] else 0 :].rstrip() + b"\n"
    raise click.UsageError(
        f"{path} holds no checkpoint: give one as /checkpoint answers, a receipt, a proof or a bundle"
    )


def _in_receipt(content: bytes) -> bytes | None:
    """As one JSON object, or the last of many, a line each."""
    for text in (content, content.strip().splitlines()[-1]):
        with suppress(ValueError, KeyError, TypeError):
            return str(json.loads(text)["checkpoint"]).encode()
    return None
