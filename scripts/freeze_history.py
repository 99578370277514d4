"""
Writes tests/ledger/history/VERSION.ndjson: one stored row of each event type, as this release stores it.

Run once a release, before it goes out. The file is never written again: what
is in it is what somebody's ledger holds by then. `tests/ledger/test_history.py`
sees to it that every later release reads and hashes it the same.
"""

import hashlib
import json
import sys
import tempfile
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ledger.application import Clock, Ledger
from ledger.authority import HUMAN, ROLES, Principal
from ledger.codec import Draft, Row, cloud_event, prepare
from ledger.contract import Items, Nested, accept, members
from ledger.deciding import Command
from ledger.errors import LedgerError
from ledger.events import EVENTS, Event
from ledger.values import Choice, Digest, Due, Flag, Integer, Json, Labels, Number, Prose, Rule, Sha256, Time

ROOT = Path(__file__).parents[1]
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SOMEBODY = Principal("person-7f3a", HUMAN, frozenset(ROLES), method="oidc", claims={"iss": "https://id.example"})
FIRST = "release.approved"
"""Recorded first, for the events about the record to be about; the last of them redacts it."""


class Then(Clock):
    def now(self) -> datetime:
        return datetime(2026, 11, 22, 21, 0, 0, 250_000, tzinfo=UTC)


def example(name: str, rule: Rule) -> Any:
    """A value that keeps a rule, of the kind that tells readers apart: floats, other alphabets, poisonous names."""
    match rule:
        case Choice(words):
            return words[0]
        case Digest():
            return f"sha256:{HEX}"
        case Sha256():
            return HEX
        case Time() | Due():
            return "2026-11-22T21:00:00.5+01:00"
        case Integer(least):
            return max(least, 1)
        case Number():
            return 12.5
        case Flag():
            return True
        case Labels():
            return {"team": "a/b:c", "...": "x", "größe": "5 €"}
        case Json():
            return {"...": "x", "_type_": "y", "n": [1, -0.5, 1e300, True, None], "\U0001f680": "é", "\ufb33": "ש"}
        case Prose():
            return f"The {name},\nin words: “é” \U0001f680."
        case Items(inner):
            return [example(name, inner)]
        case Nested(cls):
            return {wire: example(wire, member.rule) for wire, member in members(cls).items()}
    return f"{name}/é #1"


def full(topic: str) -> Event:
    """An event of a type with every member that it may have."""
    cls = EVENTS[topic]
    kept = {name: member for name, member in members(cls).items() if name not in cls.LEDGER_SETS}
    data = {name: example(name, member.rule) for name, member in kept.items()}
    if topic == "record.corrected":
        data |= {"field": "reason", "value": "in other words"}
    elif topic == "record.redacted":
        data["fields"] = ["reason", "evidence"]
    return accept(cls, data)


def stored(ledger: Ledger, topic: str) -> None:
    draft = Draft(
        full(topic),
        id=f"frozen-{topic}",
        source="https://github.com/acme/payments",
        time="2026-11-22T21:00:00.123456789+01:00",
        correlation_id="conversation-1",
        causation_id="cause-1",
        extensions={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "subject": "payments"},
    )
    # Prepared here and not by the ledger, which takes its own events from nobody.
    prepared = prepare(
        draft, SOMEBODY.submitter, source=draft.source or "", event_id=draft.id or "", fingerprint=b"frozen"
    )
    (outcome,) = ledger.record([Command(SOMEBODY, [prepared])])
    if isinstance(outcome, LedgerError):
        raise outcome


def frozen(row: Row) -> dict[str, Any]:
    return {
        "position": row.position,
        "stream": row.originator_id,
        "revision": row.originator_version,
        "type": row.topic,
        "source": row.source,
        "id": row.id,
        "leaf": row.state.decode(),
        "leaf_hash": b64encode(hashlib.sha256(b"\0" + row.state).digest()).decode(),
        "disclosures": row.disclosures,
        "read_as": cloud_event(row),
    }


def main() -> None:
    target = ROOT / "tests/ledger/history" / f"{version('lastgood')}.ndjson"
    if target.exists():
        sys.exit(f"{target} is frozen already: raise the version in pyproject.toml, and install anew")
    with tempfile.TemporaryDirectory() as folder, closing(Ledger(Path(folder), Then())) as ledger:
        for topic in (FIRST, *sorted(set(EVENTS) - {FIRST, "record.redacted"}), "record.redacted"):
            stored(ledger, topic)
        rows = [frozen(row) for row in ledger.rows()]
    target.parent.mkdir(exist_ok=True)
    target.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows))
    print(f"froze {len(rows)} events in {target}")


if __name__ == "__main__":
    main()
