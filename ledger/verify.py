"""
Verifies an evidence bundle. Runs alone, without a network: python verify.py BUNDLE

It needs Python 3.11 or newer and the package `cryptography`, and nothing else
of lastgood. Exit code 0: all in the bundle fits together, and leads to the
signed checkpoint. 10: something differs, told by its position in the record.
docs/evidence.md says what that proves, and what it does not.

The formats are those of docs/leaf-format.md, RFC 6962 and 9162 (the tree),
RFC 9901 (disclosures), C2SP signed-note, tlog-checkpoint and tlog-cosignature.
"""

import argparse
import json
import sys
import zipfile
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = 1
"""Of bundles; and of leaves."""

MEMBERS = (
    *("README.txt", "verify.py", "manifest.json", "checkpoint", "log.vkeys", "witness.vkeys"),
    *("leaves.ndjson", "entries.ndjson"),
)
ENCLOSED = ("report.json", "report.html")
"""What a bundle holds besides, where it was asked for: a report to read. Its events are compared, its words can't be."""

SEAL = b"sha256:"
"""A bundle ends in this and the SHA-256 of all before it, in hex. That shows damage; it proves nothing."""

PROTECTED = frozenset(
    "reason text title summary statement briefing decided_by person author owner contact payload annotations "
    "value from".split()
)
"""What a leaf may hold as a commitment, `{"...": COMMITMENT}`, beside the labels of its evidence."""

REDACTED, WITHHELD = "[redacted]", "[withheld]"
LONGEST_LINE = 1 << 24
CLOCKS_DIFFER_S = 60
"""A witness that says it saw the record by so much before the ledger says it was made contradicts the ledger."""

Json = Any
Leaf = dict[str, Json]


class Difference(NamedTuple):
    """What is not as it should be; `positions`: the first and the last that it is about, where that can be told."""

    text: str
    positions: tuple[int, int] | None = None


@dataclass
class Report:
    """`told` says what was verified, `remarks` what a reader should know besides."""

    differences: list[Difference] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def differs(self, text: str, *positions: int) -> None:
        self.differences.append(Difference(text, (positions[0], positions[-1]) if positions else None))

    def lines(self) -> list[str]:
        """All of it for a person to read."""
        found = [*self.told, *(f"note: {each}" for each in self.remarks)]
        found += [f"DIFFERS: {each.text}" for each in self.differences]
        found += ["something differs: do not rely on it" if self.differences else "verified: nothing differs"]
        return ["".join(one if one.isprintable() else "\ufffd" for one in each) for each in found]


class Unreadable(Exception):
    """A part of the bundle that is not what its name says."""


# The tree


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that leaves are added to. Only the roots of its perfect subtrees are kept, the largest first."""

    def __init__(self, size: int, nodes: Iterable[bytes]) -> None:
        self.size, self.nodes = size, list(nodes)
        if len(self.nodes) != size.bit_count():
            raise Unreadable(f"{len(self.nodes)} hashes do not sum up {size} leaves")

    def add(self, hashed: bytes) -> None:
        size, self.size = self.size, self.size + 1
        while size & 1:
            hashed, size = node_hash(self.nodes.pop(), hashed), size >> 1
        self.nodes.append(hashed)

    def root(self) -> bytes:
        root = self.nodes[-1] if self.nodes else sha256().digest()
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


def proven_root(index: int, size: int, hashed: bytes, proof: list[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2); None if it is of another length."""
    last = size - 1
    if not 0 <= index <= last:
        return None
    for each in proof:
        if last == 0:
            return None
        if index & 1 or index == last:
            hashed = node_hash(each, hashed)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            hashed = node_hash(hashed, each)
        index, last = index >> 1, last >> 1
    return hashed if last == 0 else None


# Keys and checkpoints


class Key(NamedTuple):
    """A public key as a vkey says it. `kind` 1 is a log's; 4 and 6 (ML-DSA-44) are witnesses', which sign the time along."""

    name: str
    id: str
    kind: int
    public: bytes

    def made(self, signature: bytes, text: bytes) -> bool:
        try:
            if self.kind == 1:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
            elif self.kind == 4:
                text = b"cosignature/v1\ntime %d\n%b" % (seconds(signature), text)
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature[8:], text)
            else:
                self._post_quantum(signature, text)
        except InvalidSignature:
            return False
        return True

    def _post_quantum(self, signature: bytes, text: bytes) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415 - a newer one has it

            key = MLDSA44PublicKey.from_public_bytes(self.public)
        except (ImportError, UnsupportedAlgorithm):
            raise Unreadable(f"for the key of {self.name} a newer version of cryptography is needed") from None
        origin, size, root = text.split(b"\n")[:3]
        name = self.name.encode()
        said = (bytes([len(name)]), name, signature[:8], bytes([len(origin)]), origin, bytes(8), int(size).to_bytes(8))
        key.verify(signature[8:], b"".join((b"subtree/v1\n\0", *said, from_base64(root.decode()))))


def seconds(cosignature: bytes) -> int:
    return int.from_bytes(cosignature[:8])


def parse_key(vkey: str) -> Key:
    name, key_id, encoded = vkey.strip().split("+", 2)
    material = from_base64(encoded)
    if sha256(f"{name}\n".encode() + material).hexdigest()[:8] != key_id or material[0] not in (1, 4, 6):
        raise Unreadable(f"{vkey.strip()!r} is not a key that is known here, under its own id")
    return Key(name, key_id, material[0], material[1:])


def from_base64(text: str) -> bytes:
    """The bytes of base64 in its one canonical form."""
    data = b64decode(text, validate=True)
    if b64encode(data).decode() != text:
        raise Unreadable(f"{text[:50]!r} is not canonical base64")
    return data


class Checkpoint(NamedTuple):
    """`signers` are keys of the log; `seen` has, by name, when a witness says that it saw this: seconds since 1970."""

    origin: str
    size: int
    root: bytes
    signers: list[Key]
    seen: dict[str, int]


def open_checkpoint(note: bytes, keys: list[Key], witnesses: Iterable[Key] = ()) -> Checkpoint:
    """Raises `Unreadable` unless it is signed by one of these keys of the log."""
    text, _, lines = note.decode().rpartition("\n\n")
    known = {(key.name, key.id): key for key in (*witnesses, *keys)}
    signatures = {}
    for line in lines.removesuffix("\n").split("\n"):
        _, name, encoded = line.split(" ")
        value = from_base64(encoded)
        if key := known.get((name, value[:4].hex())):
            if not key.made(value[4:], f"{text}\n".encode()):
                raise Unreadable(f"the signature by {name}+{key.id} under the checkpoint was not made by that key")
            signatures[key] = value[4:]
    origin, size, root = text.split("\n")[:3]
    signers = [key for key in keys if key in signatures and key.kind == 1 and key.name == origin]
    if not signers:
        wanted = " or ".join(f"{key.name}+{key.id}" for key in keys)
        raise Unreadable(f"the checkpoint of the log {origin!r} is not signed by {wanted or 'any key'}")
    seen = {key.name: seconds(value) for key, value in signatures.items() if key.kind != 1}
    return Checkpoint(origin, int(size), from_base64(root), signers, seen)


# Leaves, words, queries


def strict_json(text: bytes) -> Json:
    """JSON in which no member is given twice: readers would not agree which one counts."""
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable(f"in {str(found)[:80]} a member is given twice")
    return found


def commitments(data: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """The path of each protected member, and the commitment that stands there."""
    members = [(f"/{name}", value) for name, value in data.items() if name in PROTECTED]
    members += [(f"/evidence/{index}/label", each["label"]) for index, each in enumerate(data.get("evidence", ()))]
    for path, value in members:
        if isinstance(value, dict) and value.keys() == {"..."}:
            yield path, value["..."]


def opened(value: Json, words: Mapping[str, Json], at: str = "") -> Json:
    """The data of a leaf with the words put in at their paths."""
    if at in words:
        return words[at]
    if isinstance(value, dict):
        return {name: opened(each, words, f"{at}/{name}") for name, each in value.items()}
    if isinstance(value, list):
        return [opened(each, words, f"{at}/{index}") for index, each in enumerate(value)]
    return value


def commitment(disclosure: str) -> str:
    """What a leaf has in the place of these words (RFC 9901, section 4.2.3)."""
    return urlsafe_b64encode(sha256(disclosure.encode()).digest()).rstrip(b"=").decode()


def disclosed(disclosure: str) -> tuple[str, Json]:
    """The member's name and value in a disclosure (RFC 9901, section 4.2.1)."""
    _, name, value = strict_json(urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))
    return name, value


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


class Selection:
    """
    Which leaves of a range a query chooses: `take` each in order of position, then ask for the `chosen`.

    A leaf is chosen if it matches every filter as it was recorded, or as
    corrections made it read; with it all that is recorded about it, such as
    retractions, redactions, seconds; and every correction of a member that is
    asked for, since that bears on what matches.
    """

    def __init__(self, filters: Mapping[str, str]) -> None:
        self.filters = filters
        self.matching: set[int] = set()
        self.about: dict[int, Leaf] = {}

    def take(self, leaf: Leaf) -> None:
        if self._matches(leaf, leaf["data"]):
            self.matching.add(leaf["position"])
        if leaf["type"].startswith(("record.", "decision.seconded", "finding.accepted")):
            self.about[leaf["position"]] = leaf

    def _matches(self, leaf: Leaf, data: Mapping[str, Json]) -> bool:
        said = {"version": data.get("to_version"), **data, "type": leaf["type"], "actor": leaf["submitter"]["id"]}
        since, until = self.filters.get("since"), self.filters.get("until")
        return (
            all(said.get(name) == wanted for name, wanted in self.filters.items() if name not in ("since", "until"))
            and (since is None or instant(leaf["time"]) >= instant(since))
            and (until is None or instant(leaf["time"]) < instant(until))
        )

    def corrections(self) -> list[Leaf]:
        """Those of a member that is asked for."""
        asked = {*self.filters, *(["to_version"] if "version" in self.filters else [])} - {"type", "actor"}
        found = (each for each in self.about.values() if each["type"] == "record.corrected")
        return [each for each in found if each["data"]["field"] in asked]

    def chosen(self, values: Mapping[int, Json], leaf_at: Callable[[int], Leaf | None]) -> set[int]:
        """*values* are those of the corrections, by position, where they are known."""
        found, now = set(self.matching), dict[int, dict[str, Json]]()
        for each in self.corrections():
            found.add(each["position"])
            target, member = each["data"]["position"], each["data"]["field"]
            leaf = leaf_at(target) if each["position"] in values else None
            if leaf:
                data = now.setdefault(target, dict(leaf["data"]))
                data[member] = values[each["position"]]
                found |= {target} if self._matches(leaf, data) else set()
        for position, each in self.about.items():
            if not found.isdisjoint(each["data"].get("positions") or [each["data"]["position"]]):
                found.add(position)
        return found


# The bundle


def unsealed(file: BinaryIO) -> str | None:
    """What tells that the file is not as it was written; None if it is."""
    rest, hashed = file.seek(0, 2) - len(SEAL) - 64, sha256()
    file.seek(0)
    while rest > 0:
        piece = file.read(min(rest, 1 << 20))
        hashed.update(piece)
        rest -= len(piece)
    if file.read() == SEAL + hashed.hexdigest().encode():
        return None
    return "the file is not as it was written: something of it was changed, added or lost on the way"


def verify(file: BinaryIO, keys: Iterable[Key] = (), older: Iterable[bytes] = ()) -> Report:
    """All that can be checked. *keys* are the log's, known from elsewhere; *older* checkpoints are to be gone on from."""
    report = Report()
    if problem := unsealed(file):
        report.differs(problem)
    try:
        with zipfile.ZipFile(file) as archive:
            _Verification(archive, report, list(keys)).run(list(older))
    except Exception as error:  # noqa: BLE001 - what can't be read, for whatever reason, is not verified
        report.differs(f"the bundle can't be read any further: {error or type(error).__name__}")
    return report


class _Verification:
    def __init__(self, archive: zipfile.ZipFile, report: Report, given: list[Key]) -> None:
        self.archive, self.report = archive, report
        names = tuple(archive.namelist())
        if names not in (MEMBERS, MEMBERS + ENCLOSED):
            raise Unreadable(f"it holds {', '.join(names)}, and not {', '.join(MEMBERS)}")
        self.manifest = strict_json(self._read("manifest.json"))
        if self.manifest["format"] != FORMAT:
            raise Unreadable(f"its format is {self.manifest['format']}, and this file knows {FORMAT}: use a newer one")
        self.asked, self.complete = self.manifest["asked"], self.manifest["asked"]["complete"]
        self.keys = [key for key in given if key.kind == 1] or self._keys("log.vkeys")
        witnesses = [key for key in given if key.kind != 1] or self._keys("witness.vkeys")
        self.checkpoint = open_checkpoint(self._read("checkpoint"), self.keys, witnesses)
        signers = " and ".join(f"{key.name}+{key.id}" for key in self.checkpoint.signers)
        report.told.append(f"{self.checkpoint.size} leaves, root {self.checkpoint.root.hex()}, signed by {signers}")
        for key in (*self.checkpoint.signers, *(key for key in witnesses if key.name in self.checkpoint.seen)):
            if key not in given:
                report.remarks.append(f"only this file vouches for the key {key.name}+{key.id}: give the one you know")
        self.enclosed = strict_json(self._read(ENCLOSED[0])) if len(names) > len(MEMBERS) else None
        self.rests_on = {each["position"]: each["leaf"] for each in self.enclosed["appendix"]} if self.enclosed else {}
        self.selection = Selection(self.asked["filters"])
        self.listed = [entry["event"]["position"] for entry in self._items("entries")]
        self.kept: dict[int, tuple[bytes, Leaf]] = {}
        self.streams: dict[str, tuple[int, int, int]] = {}
        self.values: dict[int, Json] = {}

    def _at(self, position: int, text: str) -> None:
        self.report.differs(f"position {position} {text}", position)

    def _read(self, name: str) -> bytes:
        with self.archive.open(name) as file:
            return file.read(LONGEST_LINE)

    def _keys(self, name: str) -> list[Key]:
        return list(map(parse_key, self._read(name).decode().splitlines()))

    def _lines(self, name: str) -> Iterator[bytes]:
        with self.archive.open(f"{name}.ndjson") as file:
            while line := file.readline(LONGEST_LINE):
                if not line.endswith(b"\n"):
                    raise Unreadable(f"a line of {name}.ndjson is cut short")
                yield line[:-1]

    def _items(self, name: str) -> Iterator[Json]:
        return map(strict_json, self._lines(name))

    def run(self, older: Iterable[bytes]) -> None:
        self._read_leaves([open_checkpoint(each, self.keys) for each in older])
        self._check_entries()
        self._check_completeness()
        self._check_request()
        self._check_report()

    def _read_leaves(self, older: list[Checkpoint]) -> None:
        first, listed, keys = self.asked["first"], set(self.listed), set[tuple[str, str]]()
        tree = Tree(first - 1, map(from_base64, self.manifest["before"])) if self.complete else Tree(0, [])
        roots, sizes = {tree.size: tree.root()}, {each.size for each in older}
        before: Leaf = {"position": first - 1, "recordedtime": ""}
        for line in self._lines("leaves"):
            leaf, hashed = strict_json(line), leaf_hash(line)
            position, key = leaf["position"], (leaf["source"], leaf["id"])
            self._check_place(leaf, before)
            if key in keys:
                self._at(position, "has the same source and id as one before it")
            keys.add(key)
            self.selection.take(leaf)
            if self.rests_on.pop(position, hashed.hex()) != hashed.hex():
                self._at(position, "has another leaf than the enclosed report says")
            if position in listed:
                self.kept[position] = hashed, leaf
            elif not self.complete:
                self._at(position, "comes without a proof")
            tree.add(hashed)
            if tree.size in sizes:
                roots[tree.size] = tree.root()
            before = leaf
        self._check_checkpoints(older, roots, tree)
        self._tell_times(before["recordedtime"])

    def _check_place(self, leaf: Leaf, before: Leaf) -> None:
        position, last, stream, revision = leaf["position"], before["position"], leaf["stream"], leaf["revision"]
        if leaf["format"] != FORMAT:
            self._at(position, f"has a leaf of format {leaf['format']}, not {FORMAT}")
        if position <= last or (self.complete and position != last + 1):
            self._at(position, f"comes after position {last}: something is missing, or out of order")
        if leaf["recordedtime"] < before["recordedtime"]:
            self._at(position, f"says it was recorded before position {last}")
        start, known, count = self.streams.get(stream, (revision, 0, 0))
        dense = self.complete and (known > 0 or self.asked["first"] == 1)
        if revision <= known or (dense and revision != known + 1):
            self._at(position, f"is revision {revision} of {stream}, after revision {known}")
        self.streams[stream] = start, revision, count + 1

    def _check_checkpoints(self, older: list[Checkpoint], roots: dict[int, bytes], tree: Tree) -> None:
        size, root = self.checkpoint.size, tree.root()
        if self.complete and tree.size != size:
            self.report.differs(f"the leaves end at position {tree.size}, and the checkpoint says {size}")
        elif self.complete and root != self.checkpoint.root:
            self.report.differs(f"the leaves lead to the root {root.hex()}: some are not those that were logged")
        known = {**(roots if self.complete else {}), size: self.checkpoint.root}
        for each in older:
            given = f"the checkpoint of {each.size} leaves that you gave"
            if each.size not in known:
                self.report.remarks.append(f"{given} can't be compared with what is here")
            elif known[each.size] != each.root:
                self.report.differs(f"{given} is of another history", 1, each.size)
            else:
                self.report.told.append(f"goes on from {given}")

    def _check_entries(self) -> None:
        if self.listed != sorted(set(self.listed)):
            self.report.differs("the entries are not in order of position, each once")
        for entry in self._items("entries"):
            position = entry["event"]["position"]
            if position not in self.kept:
                self._at(position, "is shown, and its leaf is not here")
                continue
            hashed, leaf = self.kept[position]
            proof = list(map(from_base64, entry["proof"]))
            if proven_root(position - 1, self.checkpoint.size, hashed, proof) != self.checkpoint.root:
                self._at(position, f"was changed: its leaf hash is {hashed.hex()}, and its proof leads elsewhere")
            shown = {**leaf, "data": opened(leaf["data"], self._words(leaf, entry["disclosures"]))}
            if json.dumps(shown, sort_keys=True) != json.dumps(entry["event"], sort_keys=True):
                self._at(position, "is shown otherwise than its leaf and its disclosures say")

    def _words(self, leaf: Leaf, disclosures: Mapping[str, str]) -> dict[str, Json]:
        """What stands at the path of each protected member: its words, or why there are none."""
        position, wanted, words = leaf["position"], dict(commitments(leaf["data"])), dict[str, Json]()
        for path, disclosure in disclosures.items():
            name, words[path] = disclosed(disclosure)
            if wanted.get(path) != commitment(disclosure) or name != path.rpartition("/")[2]:
                self._at(position, f"has other words at {path} than its leaf commits to")
            elif self._is_redacted(position, path):
                self._at(position, f"was redacted at {path}, and its words are here")
            elif leaf["type"] == "record.corrected" and path == "/value":
                self.values[position] = words[path]
        for path in wanted.keys() - disclosures.keys():
            redacted = self._is_redacted(position, path)
            words[path] = REDACTED if redacted else WITHHELD
            if self.asked["words"] and not redacted:
                self._at(position, f"has lost the words at {path}, and no redaction is recorded")
        return words

    def _is_redacted(self, position: int, path: str) -> bool:
        found = (each["data"] for each in self.selection.about.values() if each["type"] == "record.redacted")
        return any(each["position"] == position and path.split("/")[1] in each["fields"] for each in found)

    def _check_completeness(self) -> None:
        corrections, listed = self.selection.corrections(), set(self.listed)
        targets = {each["data"]["position"] for each in corrections}
        leaves = {each["position"]: each for each in self._items("leaves") if targets and each["position"] in targets}
        chosen = self.selection.chosen(self.values, leaves.get)
        for position in sorted(chosen - listed):
            self._at(position, "is what was asked for, and is not shown")
        for position in sorted(listed - chosen - {self.manifest["request"]}):
            self._at(position, "is shown, and is not what was asked for")
        if len(chosen) != self.manifest["count"]:
            self.report.differs(f"{len(chosen)} events are what was asked for, not {self.manifest['count']}")
        self._tell_completeness(len(chosen))
        for each in corrections:
            if each["position"] not in self.values:
                told = (
                    f"position {each['position']} corrects position {each['data']['position']}, in words not known here"
                )
                self.report.remarks.append(told)

    def _tell_completeness(self, count: int) -> None:
        what = ", ".join(f"{name} is {value}" for name, value in self.asked["filters"].items()) or "everything"
        size, told = self.checkpoint.size, self.report.told
        told.append(f"{count} events of positions {self.asked['first']} to {size} are what was asked for: {what}")
        if self.complete:
            told.append("the leaves of all others are here, and none of them is what was asked for")
            return
        self.report.remarks.append(
            "the others are not here, so whether more of them match can't be told from this file"
        )
        for stream, (first, last, events) in self.streams.items():
            whole = "all" if events == last - first + 1 else f"only {events}"
            told += [f"of {stream}, revisions {first} to {last}: {whole} are here"] if events > 1 else []

    def _check_request(self) -> None:
        """The record itself holds what was asked, so that the question can't be changed afterwards."""
        position = self.manifest["request"]
        leaf: Leaf = self.kept[position][1] if position in self.kept else {"type": ""}
        if leaf["type"] == "access.exported" and leaf["data"].get("query") == {"evidence": self.asked}:
            self.report.told.append(
                f"asked at {leaf['recordedtime']} by {leaf['data']['subject']}, position {position}"
            )
        else:
            self._at(position, "does not record that this was asked")

    def _check_report(self) -> None:
        """That the enclosed report is the one asked for, and rests on events of this record: `rests_on` has the others."""
        wanted, found = self.asked.get("report"), self.enclosed and self.enclosed["incident"]
        if wanted != found:
            self.report.differs(
                f"a report about {wanted or 'nothing'} was asked for, and one about {found} is enclosed"
            )
        if self.enclosed is None:
            return
        count, first = len(self.enclosed["appendix"]), self.asked["first"]
        here = self.complete and [each for each in self.rests_on if each >= first]
        for position in here or ():
            self._at(position, "is named by the enclosed report, and is not in the record")
        self.report.told.append(
            f"{ENCLOSED[0]} is about {found}: {count - len(self.rests_on)} of the {count} events that it rests on are here"
        )
        self.report.remarks.append(f"the words of {' and '.join(ENCLOSED)} are not proven: the entries are what counts")

    def _tell_times(self, last: str) -> None:
        self.report.told.append(f"recorded until {last}, by the ledger's own clock")
        for witness, second in self.checkpoint.seen.items():
            seen = datetime.fromtimestamp(second, UTC)
            self.report.told.append(f"seen by the witness {witness} at {seen:%Y-%m-%dT%H:%M:%SZ}")
            if (instant(last) - seen).total_seconds() > CLOCKS_DIFFER_S:
                self.report.differs(
                    f"the witness {witness} saw at {seen} what was recorded at {last}: a clock is wrong"
                )
        if not self.checkpoint.seen:
            self.report.remarks.append("no witness signed along: only the ledger says when things were recorded")


def main() -> int:
    parser = argparse.ArgumentParser(description="Exit code 0: the bundle is verified. 10: something differs.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", action="append", default=[], type=parse_key, help="a vkey, of the log or a witness")
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, help="an older one that you kept")
    given = parser.parse_args()
    with given.bundle.open("rb") as file:
        report = verify(file, given.key, [path.read_bytes() for path in given.checkpoint])
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 10 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
