"""
Receipts with proof, as `append --receipt` keeps them: verified here, then written so that they last.

Each line of the file is a receipt as the ledger gave it, with the event's leaf
and the public key that the checkpoint was verified with: all that it takes to
verify it again, offline. What holds is that an event with this id, source,
place and time, and with the data in the leaf, is in the signed log.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.exits import Invalid, No, Unreachable

if TYPE_CHECKING:
    from api.cli.client import Client
    from ledger.note import Verifier

Json = dict[str, Any]

PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Between one attempt to get a proof and the next, where sealing takes longer than the ledger waits."""

SAME = ("id", "source", "position", "recordedtime", "stream", "revision")
"""The members that a receipt and its leaf must agree on."""


class Receipts:
    """The receipts of one call, in a file that is extended if it exists."""

    def __init__(
        self, path: Path, client: "Client", log_key: str | None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Raises `Invalid` where the file can't be written, or the key is none."""
        self._client, self._pause = client, pause
        self._path = path
        self._given = None if log_key is None else _keys(log_key)
        self._write(b"")

    def keep(self, receipts: Sequence[Json], again: Callable[[], Sequence[Json]]) -> None:
        """
        Writes the receipts; they are durable when this returns.

        *again* sends the events once more: recorded once, they are answered
        with receipts anew, and with proof once they are sealed.

        Raises:
            No: where one has no proof in time, or one that does not verify. The events are recorded all the same.
        """
        for pause_s in (*PAUSES_S, None):
            if all("checkpoint" in each for each in receipts):
                break
            if pause_s is None:
                raise No(
                    "recorded, but not sealed yet: there are no proofs to keep",
                    "run the same command again in a minute; what is recorded is recorded once",
                )
            self._pause(pause_s)
            receipts = again()
        keys = self._keys()
        try:
            verified = self._verified(receipts, keys)
        except ValueError as error:
            raise No(
                f"recorded, but a receipt does not verify: {error}",
                "keep this output; ask who runs the ledger for `lastgood verify`, and check the key you gave",
            ) from None
        self._write(b"".join(json.dumps(each).encode() + b"\n" for each in verified))

    def _keys(self) -> Sequence["Verifier"]:
        if self._given is None:
            self._given = _keys(self._client.content("/log.vkey").decode("utf-8", "replace"))
            click.echo(
                f"lastgood: the receipts verify with the key that the ledger itself serves, {self._given[0].vkey()}; "
                "--log-key (LASTGOOD_LOG_KEY) takes the key as you know it from elsewhere",
                err=True,
            )
        return self._given

    def _verified(self, receipts: Sequence[Json], keys: Sequence["Verifier"]) -> list[Json]:
        """The receipts with leaf and key. Raises `ValueError` with the reason for the first that is not right."""
        from ledger.checkpoint import open_checkpoint  # noqa: PLC0415 - 0.1 s that only receipts with proof pay
        from ledger.merkle import LogError, leaf_hash, verify_inclusion  # noqa: PLC0415
        from ledger.note import decode_base64  # noqa: PLC0415

        leaves = _Leaves(self._client)
        verified = []
        for receipt in receipts:
            index = receipt["position"] - 1
            try:
                opened = open_checkpoint(receipt["checkpoint"].encode(), keys[0].name, keys)
                tree, hashed = opened.checkpoint, decode_base64(receipt["leaf_hash"])
                proof = list(map(decode_base64, receipt["inclusion_proof"]))
                verify_inclusion(index, tree.size, hashed, proof, tree.root)
                leaf = leaves.at(index, tree.size)
            except (LogError, ValueError, KeyError, TypeError) as error:
                raise ValueError(f"position {receipt['position']}: {error}") from None
            if leaf_hash(leaf) != hashed or not _agree(receipt, json.loads(leaf)):
                raise ValueError(
                    f"position {receipt['position']}: what is in the log there is not the event of the receipt"
                )
            verified.append({**receipt, "leaf": leaf.decode(), "log_key": next(iter(opened.signatures)).vkey()})
        return verified

    def _write(self, lines: bytes) -> None:
        try:
            is_new = not self._path.exists()
            with self._path.open("ab") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                _sync_folder(self._path.parent)
        except OSError as error:
            raise Invalid(
                f"{self._path} can't be written: {error.strerror}", "name another file with --receipt"
            ) from None


class _Leaves:
    """Leaves out of the log's entry bundles, each bundle fetched once in a row."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._place: tuple[int, int] | None = None
        self._entries: list[bytes] = []

    def at(self, index: int, size: int) -> bytes:
        from ledger.tiles import WIDTH, Bundle, decode_bundle  # noqa: PLC0415 - as above

        number, offset = divmod(index, WIDTH)
        width = min(WIDTH, size - number * WIDTH)
        if (number, width) != self._place:
            bundle = Bundle(number, width)
            self._entries = decode_bundle(bundle, self._client.content(f"/{bundle.path}"))
            self._place = (number, width)
        return self._entries[offset]


def _agree(receipt: Json, leaf: Json) -> bool:
    return all(receipt[name] == leaf[name] for name in SAME)


def _keys(text: str) -> Sequence["Verifier"]:
    """From a vkey, from lines of such, or from a file of lines."""
    from ledger.note import MalformedKey, Verifier  # noqa: PLC0415 - as above

    try:
        if "\n" not in text and Path(text).is_file():
            text = Path(text).read_text("utf-8")
        keys = tuple(Verifier.from_vkey(line) for line in text.split("\n") if line.strip())
    except (OSError, MalformedKey, UnicodeDecodeError) as error:
        raise Invalid(f"--log-key: {error}", "give a vkey, or a file that has what /log.vkey serves") from None
    if not keys:
        raise Unreachable("there is no key in what was given as the log's keys", "check LASTGOOD_URL and --log-key")
    return keys


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
