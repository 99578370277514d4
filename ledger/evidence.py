"""
Evidence bundles: chosen events with all that a stranger needs to verify them, in one file.

A bundle is a zip of these: the leaves, the chosen ones again with their words
and proofs, the signed checkpoint, the keys, and what was asked. With the
leaves of all other events of the range, which hold no words, anyone can ask
the same question again and see that nothing was left out. `ledger.verify`
defines the format by reading it; docs/design/evidence.md says why it is so.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO, Any

import orjson

from ledger import verify
from ledger.application import Ledger
from ledger.codec import Row
from ledger.disclosures import disclosed_value
from ledger.leaves import Leaves
from ledger.note import Verifier, encode_base64
from ledger.tiles import ReadTile, TiledTree
from ledger.verify import ENCLOSED, MEMBERS, REDACTED, SEAL, WITHHELD, Selection, commitments, opened

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a bundle is to hold: the events from position `first` on that match
    the filters; with `complete`, the leaves of all others too; with `words`,
    what the protected members said. `report` is the incident that a report is
    enclosed about, to read beside them.
    """

    filters: Mapping[str, str] = field(default_factory=dict)
    first: int = 1
    complete: bool = True
    words: bool = True
    report: str | None = None

    def json(self) -> dict[str, Any]:
        """As the record holds it."""
        said = asdict(self)
        return said if self.report is not None else {name: each for name, each in said.items() if name != "report"}


@dataclass(frozen=True, slots=True)
class Proving:
    """The checkpoint that everything is proven by, of a tree of *size* leaves, and whose keys open it."""

    checkpoint: bytes
    size: int
    read_tile: ReadTile
    keys: Sequence[Verifier]
    witnesses: Sequence[Verifier] = ()


class Bundle:
    """
    One bundle in the making. *request* is the position at which the record
    holds what was asked; *report* the report that was, as JSON and as a page.
    """

    def __init__(
        self, ledger: Ledger, proving: Proving, asked: Asked, request: int, report: tuple[bytes, bytes] | None = None
    ) -> None:
        self._report = report
        self._ledger, self._proving, self._asked, self._request = ledger, proving, asked, request
        self._tree = TiledTree(proving.size, proving.read_tile)
        self._selection = Selection(dict(asked.filters))
        for leaf in self._leaves():
            self._selection.take(orjson.loads(leaf))
        self.chosen = self._selection.chosen(self._corrected_values(), self._leaf_at)
        self._shown = sorted(self.chosen | {request})
        about = self._selection.about.values()
        self._redacted = {
            (each["data"]["position"], name)
            for each in about
            if each["type"] == "record.redacted"
            for name in each["data"]["fields"]
        }

    def write(self, file: IO[bytes]) -> None:
        """Writes the bundle into an empty file, which can be read and written anywhere."""
        moment = datetime.fromisoformat(self._leaf_of(self._request)["recordedtime"])
        with zipfile.ZipFile(file, "w") as archive:
            names = MEMBERS if self._report is None else MEMBERS + ENCLOSED
            for name, content in zip(names, self._contents(), strict=True):
                member = zipfile.ZipInfo(name, moment.timetuple()[:6])
                member.external_attr = 0o100600 << 16
                member.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(member, "w", force_zip64=True) as out:
                    for piece in content:
                        out.write(piece)
            archive.comment = SEAL + b"0" * 64
        _seal(file)

    def _contents(self) -> Iterator[Iterator[bytes]]:
        """Of each member, in the order of `MEMBERS`, then of `ENCLOSED`."""
        manifest = self._manifest()
        yield iter([readme(manifest, self._proving).encode()])
        yield iter([Path(verify.__file__).read_bytes()])
        yield iter([json.dumps(manifest, indent=1).encode() + b"\n"])
        yield iter([self._proving.checkpoint])
        yield (f"{key.vkey()}\n".encode() for key in self._proving.keys)
        yield (f"{key.vkey()}\n".encode() for key in self._proving.witnesses)
        leaves = self._leaves() if self._asked.complete else (row.state for row in self._rows(self._shown))
        yield (leaf + b"\n" for leaf in leaves)
        yield (orjson.dumps(self._entry(row)) + b"\n" for row in self._rows(self._shown))
        yield from (iter([each]) for each in self._report or ())

    def _manifest(self) -> dict[str, Any]:
        first = self._asked.first
        before = TiledTree(first - 1, self._proving.read_tile).compact_range().nodes if self._asked.complete else ()
        return {
            "format": verify.FORMAT,
            "asked": self._asked.json(),
            "request": self._request,
            "count": len(self.chosen),
            "before": list(map(encode_base64, before)),
        }

    def _entry(self, row: Row) -> dict[str, Any]:
        """An event as a person reads it; and its proof and disclosures, which lead from there to the checkpoint."""
        leaf = orjson.loads(row.state)
        kept = dict(row.disclosures) if self._asked.words else {}
        words = {path: disclosed_value(text) for path, text in kept.items()}
        for path, _ in commitments(leaf["data"]):
            if path not in words:
                words[path] = REDACTED if (row.position, path.split("/")[1]) in self._redacted else WITHHELD
        return {
            "event": {**leaf, "data": opened(leaf["data"], words)},
            "proof": list(map(encode_base64, self._tree.inclusion_proof(row.position - 1))),
            "disclosures": kept,
        }

    def _leaves(self) -> Iterator[bytes]:
        return Leaves(self._ledger).leaves(self._asked.first - 1, self._proving.size)

    def _rows(self, positions: Sequence[int]) -> Iterator[Row]:
        portions = (positions[at : at + AT_ONCE] for at in range(0, len(positions), AT_ONCE))
        return chain.from_iterable(map(self._ledger.store.rows_at, portions))

    def _leaf_of(self, position: int) -> dict[str, Any]:
        leaf: dict[str, Any] = orjson.loads(self._ledger.row(position).state)
        return leaf

    def _leaf_at(self, position: int) -> dict[str, Any] | None:
        """Of the range only: whoever verifies has no other."""
        return self._leaf_of(position) if self._asked.first <= position <= self._proving.size else None

    def _corrected_values(self) -> dict[int, Any]:
        """What the corrections say that bear on the choice, as far as the bundle will tell."""
        if not self._asked.words:
            return {}
        found = {}
        for row in self._rows([each["position"] for each in self._selection.corrections()]):
            words = dict(row.disclosures)
            if "/value" in words:
                found[row.position] = disclosed_value(words["/value"])
        return found


def _seal(file: IO[bytes]) -> None:
    """The last 64 bytes become the SHA-256 of all before the seal."""
    rest = file.seek(0, 2) - len(SEAL) - 64
    file.seek(0)
    hashed = sha256()
    while rest > 0:
        piece = file.read(min(rest, 1 << 20))
        hashed.update(piece)
        rest -= len(piece)
    file.seek(-64, 2)
    file.write(hashed.hexdigest().encode())
    file.seek(0)


def readme(manifest: Mapping[str, Any], proving: Proving) -> str:
    """The page for a person who was sent the file."""
    asked = manifest["asked"]
    what = ", ".join(f"{name} is {value}" for name, value in asked["filters"].items()) or "everything"
    scope = f"of positions {asked['first']} to {proving.size}"
    if asked["complete"]:
        others = (
            "The leaves of all other events of these positions are enclosed as well, without any words. So you can ask\n"
            "the same question yourself, of all of them, and see that nothing that matches was left out; verify.py does."
        )
    else:
        others = (
            "Only these are enclosed. That each is in the record, unchanged and at its place, can be verified. That there\n"
            "are no others that match can't: for that, ask for a complete bundle."
        )
    keys = "\n".join(f"    {key.vkey()}" for key in proving.keys)
    report = (
        f"A report about the incident {asked['report']} is enclosed, to read: report.html, and report.json for programs. Each\n"
        "event that it rests on is named with its leaf hash, and these are compared; its words are not proven.\n\n"
        if asked.get("report")
        else ""
    )
    return f"""Evidence from a lastgood ledger

Asked for: {what}; {scope}.
Enclosed: {manifest["count"]} events, in entries.ndjson, one on each line. {"Words" if asked["words"] else "No words"} of protected
members are shown, where they were not redacted.

{others}

{report}To verify it, with Python 3.11 or newer, without a network:

    pip install cryptography
    python verify.py THIS_FILE

Take verify.py from a source that you trust, such as a release of lastgood, and not from this file: whoever forges one
could forge the other. It is enclosed so that you can read what it does. `lastgood verify THIS_FILE` does the same.

Everything leads to one signed checkpoint. Its key is one of these. Compare it with one that you got by another way,
and give that as --key; else only this file vouches for it:

{keys}

A checkpoint that you have from earlier, for example from a report, goes in as --checkpoint FILE: then it is shown that
nothing of what you knew then was changed since.

What it shows: these events were in the record when the checkpoint was signed, in this order, with these contents; and
what they say now is what they said when they were recorded. What it doesn't show: that what was recorded was true; nor,
unless a witness signed along, that the ledger's clock was right.
"""
