"""
The change record in words, for paper: what it rests on, exceptions first, every change, and who held which role.

Digests are shortened here; the JSON and the CSV have them whole.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from api.report.blocks import (
    Block,
    Code,
    Column,
    Document,
    Facts,
    Heading,
    Mark,
    Note,
    Paragraph,
    Ref,
    Row,
    Spans,
    Strong,
    Text,
)
from api.report.words_said import Said, counted, fit, instant, joined, plain, ref, refs, row, short, table

Json = Mapping[str, Any]

DIGEST = len("sha256:") + 12
"""So many characters of a digest tell it from others on paper."""

FITS = 14
"""So many characters of a name fit into a column of a page."""

_AFTER_SIGN = re.compile(r"(?<=[-._/:@+#])(?=[^\s-])")


def document(record: Json) -> Document:
    """The document of a change record."""
    record = fit(record)
    said = Said({"zone": record["period"]["zone"]})
    until = record["period"]["to"] or record["as_of"]
    where = "@".join(short(record[name], 120) for name in ("service", "environment") if record[name])
    scope = where or "every service and environment"
    looked = record["completeness"]["positions"]
    return Document(
        title="Change record",
        subtitle=(Strong(scope), Text(" \u00b7 "), *said.period(record["period"]["from"], until)),
        foot=f"Change record \u00b7 {scope} \u00b7 rests on {_looked(looked)}",
        moment=instant(record["as_of"]),
        blocks=tuple(_blocks(record, said)),
    )


def _looked(positions: Json) -> str:
    first, last = positions["from"] or 0, positions["to"] or 0
    return f"position {first}" if first == last else f"positions {first} to {last}"


def _blocks(record: Json, said: Said) -> Iterator[Block]:
    yield from _front(record, said)
    yield from _exceptions(record, said)
    yield from _changes(record["changes"], "Changes", "changes", said)
    yield from _changes(record["in_progress"], "Under way at the end", "under-way", said)
    yield from _retracted(record, said)
    yield from _roles(record, said)


# What it rests on


def _front(record: Json, said: Said) -> Iterator[Block]:
    told = record["completeness"]
    looked, inside, checkpoint = told["positions"], told["in_period"], told["checkpoint"]
    open_ = sum(each["state"] == "open" for each in record["exceptions"])
    changes = ", ".join(counted(count, kind) for kind, count in told["changes"].items()) or "none"
    rows: list[tuple[str, Spans]] = [
        ("Changes", (Text(changes),)),
        ("Exceptions", (Text(f"{open_} open of {len(record['exceptions'])}" if record["exceptions"] else "none"),)),
        ("As of", (said.time(record["as_of"]),)),
        (
            "Looked through",
            (Text(f"{_looked(looked)}, {counted(looked['count'], 'event')}"),),
        ),
        ("Of the period", (Text(counted(inside["count"], "event")),)),
        ("Checkpoint", _checkpoint(checkpoint)),
    ]
    yield Facts(tuple(((Text(label),), value) for label, value in rows))
    yield Paragraph(
        (
            Text(
                "Positions have no gaps: a count that is the last position less the first, and one, leaves nothing out. "
                "A change belongs to the period in which it ended. Its approvals are those that were in force for its "
                "version and digest when it happened, as the ledger knew them then."
            ),
        )
    )


def _checkpoint(checkpoint: Json | None) -> Spans:
    if checkpoint is None:
        return (Mark("none covers all of it yet", "caution"),)
    named = f"{short(checkpoint['origin'], 300)}, size {checkpoint['size']}, root "
    return (Text(named), Code(checkpoint["root"]))


# Exceptions


def _exceptions(record: Json, said: Said) -> Iterator[Block]:
    yield Heading(2, "Exceptions", "exceptions")
    if not record["exceptions"]:
        yield Note("info", (Text("Nothing was found in this period."),))
        return
    columns = (Column("It is", 3), Column("Rule", 6), Column("Where", 6), Column("What", 12), Column("When", 5))
    yield table(columns, (_exception(each, said) for each in record["exceptions"]), "Exceptions", dense=True)


def _exception(found: Json, said: Said) -> Row:
    ends = refs([*found["settled_by"], *found["accepted_by"]])
    where = " ".join(each for each in (_place(found), short(found["incident"] or "", 200)) if each)
    what: Spans = (Text(short(found["detail"], 1000)), refs(found["positions"]))
    tone: Any = "caution" if found["state"] == "open" else "plain"
    state: Spans = (Text(found["state"]), ends)
    return row(state, plain(found["rule"]), where, what, (said.time(found["time"]),), tone=tone)


def _place(found: Json) -> str:
    return apart(short("@".join(each for each in (found["service"], found["environment"]) if each), 500))


def apart(name: str) -> str:
    """A name that may be broken after its signs, so that it stays in its column."""
    return _AFTER_SIGN.sub("\u200b", name) if len(name) > FITS else name


# Changes


def _changes(changes: list[Json], heading: str, anchor: str, said: Said) -> Iterator[Block]:
    if not changes:
        return
    yield Heading(2, heading, anchor)
    columns = (
        Column("When", 5),
        Column("Change", 7),
        Column("Where", 8),
        Column("Version", 10),
        Column("Approved", 7),
        Column("Decision, incidents", 7),
        Column("Found", 6),
    )
    yield table(columns, (_change(each, said) for each in changes), heading, dense=True)


def _change(change: Json, said: Said) -> Row:
    is_open = any(each["state"] == "open" for each in change["findings"])
    return row(
        (said.time(change["time"]), refs(change["positions"])),
        f"{_kind(change)} by {_by(change)}",
        _place(change),
        _version(change),
        _approved(change, said),
        _decided(change, said),
        joined((Text(plain(each["rule"])),) for each in change["findings"]),
        tone="caution" if is_open else "plain",
    )


def _kind(change: Json) -> str:
    effect = change["effect"]
    moved = f" ({plain(effect)})" if effect not in (None, change["kind"], "forward") else ""
    return f"{change['kind']} {change['outcome'] or 'under way'}{moved}"


def _version(change: Json) -> Spans:
    named: Spans = (Code(apart(short(change["version"] or change["id"] or "", 300))),)
    return (*named, Text(" "), Code(change["digest"][:DIGEST])) if change["digest"] else named


def _by(change: Json) -> str:
    deployer = change["deployer"]
    name = apart(short(deployer["name"] or deployer["id"], 200))
    behind = [short(each, 200) for each in deployer["people"] if each not in (deployer["name"], deployer["id"])]
    return f"{name} ({', '.join(behind)})" if behind else name


def _approved(change: Json, said: Said) -> Spans:
    parts = [_approval(each, said) for each in change["approvals"]]
    if not parts and change["approval_required"] and change["kind"] in ("deployment", "release"):
        parts = [] if change["decision"] else [(Mark("not approved", "caution"),)]
    late = [(Mark("recorded late: "), *_approval(each, said)) for each in change["approvals_recorded_late"]]
    return joined([*parts, *late])


def _approval(approval: Json, said: Said) -> Spans:
    return (
        Text(f"{short(approval['by'] or 'unknown', 200)}, "),
        said.time(approval["time"]),
        ref(approval["position"]),
    )


def _decided(change: Json, said: Said) -> Spans:
    decision, parts = change["decision"], list[Spans]()
    if decision:
        by = f"{short(decision['by'] or 'unknown', 200)}, "
        parts.append((Text(by), said.time(decision["time"]), ref(decision["position"])))
    parts += [(Text(short(each, 200)),) for each in change["incidents"]]
    parts += [(Text(f"implicated in {short(each, 200)}"),) for each in change["implicated_in"]]
    return joined(parts)


# What was taken back; who could do what


def _retracted(record: Json, said: Said) -> Iterator[Block]:
    if not record["retracted"]:
        return
    yield Heading(2, "Retracted", "retracted")
    columns = (Column("When", 5), Column("What", 6), Column("Where", 6), Column("Version", 4), Column("Why", 8))
    rows = (
        row(
            (said.time(each["time"]), Ref(tuple(p for p in (each["position"], each["retracted_at"]) if p))),
            each["type"],
            _place(each),
            short(each["version"] or "", 300),
            short(each["reason"] or "", 1000),
        )
        for each in record["retracted"]
    )
    yield table(columns, rows, "Retracted", dense=True)


def _roles(record: Json, said: Said) -> Iterator[Block]:
    yield Heading(2, "Who held which role", "roles")
    if not record["roles"]:
        yield Paragraph((Mark("Nobody held any in this period."),))
        return
    columns = (Column("Who", 7), Column("Roles", 5), Column("Bound to", 6), Column("From and until", 9))
    yield table(columns, (_role(each, said) for each in record["roles"]), "Who held which role", dense=True)


def _role(role: Json, said: Said) -> Row:
    who = f"{short(role['name'] or role['principal'], 200)} ({role['kind'] or 'unknown'})"
    roles = ", ".join([*role["roles"], *([role["method"]] if role["method"] else [])])
    bound = ", ".join([*role["services"], *(f"@{each}" for each in role["environments"])])
    held = said.period(role["since"], role["until"], open_end="held on")
    return row(who, roles, short(bound, 500), (*held, ref(role["granted_at"], role["revoked_at"])))
