"""
A situation in words: one section for each question that a responder asks.

Ages come first, since in the first minute nobody wants to subtract times.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from api.cli import show
from api.cli.screen import Row, Section, row

GRAVE = {"SEV-1": "bold white on red", "SEV-2": "bold black on yellow", "SEV-3": "bold white on blue"}
VERBS = {
    "deployment.started": "deploying",
    "deployment.succeeded": "deployed",
    "deployment.failed": "failed to deploy",
    "deployment.cancelled": "called off deploying",
    "service.removed": "removed",
    "release.started": "releasing",
    "release.exposed": "releasing",
    "release.completed": "released",
    "release.aborted": "took back the release of",
    "rollback.decided": "decided to roll back to",
    "rollback.declined": "decided against a rollback",
    "rollback.started": "rolling back to",
    "rollback.succeeded": "rolled back to",
    "rollback.failed": "failed to roll back to",
    "rollback.cancelled": "called off the rollback to",
    "rollback.verified": "verified the rollback to",
    "rollback.ineffective": "found no help in the rollback to",
    "feature.enabled": "switched on",
    "feature.disabled": "switched off",
    "configuration.changed": "changed configuration",
    "migration.applied": "migrated",
}
FEEDS = ("alerts", "metrics", "deployments", "changes", "on_call", "observations")


def sections(found: Mapping[str, Any], *, past: bool = False) -> list[Section]:
    """All of a situation, in the order in which one asks. *past*: of an earlier moment than now."""
    made = [
        Section(None, [_banner(found, past=past)]),
        *_incidents(found),
        Section("released", [_released(found), *_exposed(found)], rank=3),
        Section("deployed", [_deployed(found), *_doubts(found)], least=3),
        Section("last known good", [_good(found)]),
        Section("roll back to", list(_target(found)), rank=2),
        Section("rollback", list(_rollback(found))),
        Section("alerts", list(_alerts(found)), least=2, rank=1),
        Section("metrics", list(_metrics(found)), rank=5),
        Section("on call", list(_on_call(found)), rank=6),
        Section("responsible", [_responsible(found)]),
        Section("recent", list(_recent(found)), least=2, rank=4),
        Section("elsewhere", list(_elsewhere(found)), rank=7),
        Section("last heard", list(_heard(found)), rank=8),
        Section(None, list(_compare(found)), rank=9, title="compare"),
        Section(None, list(_commands(found)), rank=0),
    ]
    return [each for each in made if each.rows]


# Severity


def _banner(found: Mapping[str, Any], *, past: bool) -> Row:
    severity, drill = _severity(found)
    word = f" {severity}{' DRILL' if drill else ''} " if severity else " no active incident "
    style = "reverse" if drill else GRAVE.get(severity or "", "")
    moment = f"{_instant(found['as_of']).astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    when = (f"   as it was at {moment}", "bold") if past else (f"   as of {moment}", "dim")
    return row((word, style), (f"  {found['service']} in {found['environment']}", "bold"), when)


def _severity(found: Mapping[str, Any]) -> tuple[str | None, bool]:
    first = next(iter(found["incidents"]), None)
    return (first["severity"], first["drill"]) if first else (None, False)


def _incidents(found: Mapping[str, Any]) -> Iterator[Section]:
    active, noticed = found["incidents"], found["undeclared"]
    if active:
        yield Section("incident", [_incident(each, found) for each in active], rank=1)
    if (response := found["expected_response"]) is not None:
        clock = f"   {_stopwatch(response['seconds'])} since {response['severity']}"
        yield Section("response", [row((response["text"], "bold"), (clock, ""), whole=True)])
    if noticed:
        yield Section("not declared", [_noticed(each, found) for each in noticed], rank=1)


def _incident(incident: Mapping[str, Any], found: Mapping[str, Any]) -> Row:
    drill = ", a drill" if incident["drill"] else ""
    about = f"  {incident['severity']}, {incident['state']}{drill}, began {_ago(incident['began'], found)}"
    return row((incident["id"], "bold"), f"  {incident['title'] or ''}", (about, "dim"))


def _noticed(incident: Mapping[str, Any], found: Mapping[str, Any]) -> Row:
    suggested = f", perhaps {incident['suggested_severity']}" if incident["suggested_severity"] else ""
    about = f"  detected {_ago(incident['began'], found)}{suggested}"
    return row((incident["id"], "bold"), f"  {incident['title'] or ''}", (about, "yellow"))


# Versions


def _released(found: Mapping[str, Any]) -> Row:
    current = found["current"]
    if current is None:
        return row(("nothing", "bold"), "  users see no version of it")
    share = f", {current['exposure']:g} % of users" if current["exposure"] != 100 else ""
    return row(
        (current["version"], "bold"), f"  users see it since {_since(current['since'], found)}{share}", whole=True
    )


def _exposed(found: Mapping[str, Any]) -> Iterator[Row]:
    for each in found["exposures"]:
        if "release_id" in each:
            share = f"{each['exposure']:g} % of users" if each["exposure"] is not None else "some users"
            limits = "".join(f", {each[name]}" for name in ("audience", "region") if name in each)
            yield row((each["version"], "bold"), f"  on its way: {share}{limits}", whole=True)


def _deployed(found: Mapping[str, Any]) -> Row:
    deployed, current = found["deployed"], found["current"]
    if deployed is None:
        return row(("nothing", "bold"), "  no deployment is recorded")
    same = current is not None and (current["version"], current["digest"]) == (deployed["version"], deployed["digest"])
    other = "" if same else ", and is not what users see"
    return row(
        (deployed["version"], "bold"), f"  installed since {_since(deployed['since'], found)}{other}", whole=True
    )


def _doubts(found: Mapping[str, Any]) -> Iterator[Row]:
    for each in found["uncertain_because"]:
        yield row(("not certain: ", "bold yellow"), each["detail"], whole=True)


def _good(found: Mapping[str, Any]) -> Row:
    good, current = found["last_known_good"], found["current"]
    if good is None:
        return row(("none", "bold"), "  no version that was live here is known good")
    basis = "verified by a person" if good["basis"] == "verified" else "soaked here"
    if current is not None and current["version"] == good["version"] and good["last_live_until"] is None:
        return row((good["version"], "bold green"), f"  {basis}; it is what users see", whole=True)
    return row(
        (good["version"], "bold green"), f"  {basis}; live until {_since(good['last_live_until'], found)}", whole=True
    )


def _target(found: Mapping[str, Any]) -> Iterator[Row]:
    target = found["rollback_target"]
    if found["target_reached"] is not None:
        yield row((found["target_reached"]["version"], "bold"), "  target reached: it is what users see", whole=True)
    elif target is None:
        yield row(("none", "bold"), "  nothing older was live here that nothing speaks against")
    else:
        basis = {"verified": "verified by a person", "soaked": "soaked here"}.get(target["basis"], "unproven")
        warned = f"; {show.counted(len(target['warnings']), 'warning')}" if target["warnings"] else ""
        yield row((target["version"], "bold cyan"), f"  {basis}, nothing against it{warned}", whole=True)
        for each in target["warnings"]:
            yield row(("warning: ", "yellow"), each["detail"])


# The rollback


def _rollback(found: Mapping[str, Any]) -> Iterator[Row]:
    rollback = found["rollback"]
    if rollback is None:
        return
    yield row(*_told(rollback, found), whole=True)
    if rollback["reason"]:
        yield row(("because: ", "dim"), rollback["reason"])


def _told(rollback: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str | tuple[str, str], ...]:
    """What became of it: what was decided, carried out, verified, each in its own words."""
    to, by = rollback["to_version"] or "", rollback["decided_by_name"] or rollback["decided_by"]
    decided = _step(rollback, "decided", found)
    said = f"to {to}, decided {decided}{f' by {by}' if by else ''}" if decided else f"to {to}"
    done = _step(rollback, "executed", found) or _step(rollback, "reached", found)
    match rollback["told"]:
        case "pending":
            return ("decided", "bold yellow"), f", not carried out: {said}; no pipeline has claimed it"
        case "claimed":
            claimed = _step(rollback, "claimed", found)
            return ("being carried out", "bold yellow"), f": {said}; claimed {claimed}"
        case "target_reached":
            seen = _step(rollback, "observed", found)
            observed = f", observed {seen}" if seen else ""
            return ("target reached", "bold green"), f" {done}{observed}, not yet verified: {said}"
        case "verified":
            return ("verified", "bold green"), f" {_step(rollback, 'verified', found)}: {said}"
        case "ineffective":
            return ("did not help", "bold red"), f", as found {_step(rollback, 'ineffective', found)}: {said}"
        case "failed":
            return ("failed", "bold red"), f" {_step(rollback, 'failed', found)}: {said}"
        case "lapsed":
            return ("decided, never carried out", "bold red"), f", and lapsed: {said}"
        case "undecided":
            gone = rollback["went_to"] or to
            return ("nobody decided it", "bold red"), f": went back to {gone} {done or ''}"
        case "other_version":
            return ("went elsewhere", "bold red"), f": to {rollback['went_to']}, not {said}"
    return (rollback["told"], "bold"), f": {said}"


def _step(rollback: Mapping[str, Any], name: str, found: Mapping[str, Any]) -> str | None:
    step = rollback[name]
    return _ago(step["time"], found) if isinstance(step, Mapping) else None


# What speaks


def _alerts(found: Mapping[str, Any]) -> Iterator[Row]:
    active = [each for each in found["alerts"] if each["state"] == "active"]
    ended = [each for each in found["alerts"] if each["state"] != "active"]
    if not active:
        age = found["freshness"]["alerts"]["age_seconds"]
        heard = "none was ever heard" if age is None else f"the last one here or elsewhere was heard {_age(age)} ago"
        yield row(("none active", "bold"), f"; {heard}")
    for each in active:
        about = f"  {_alert(each)}for {_age(_seconds(each['since'], found))}{_flaps(each)}"
        yield row((each["name"], "bold red"), about, whole=True)
    for each in ended:
        yield row(each["name"], (f"  resolved {_ago(each['until'], found)}{_flaps(each)}", "dim"))


def _alert(alert: Mapping[str, Any]) -> str:
    wide = "" if alert["service"] else "whole environment, "
    return f"{alert['severity']}, {wide}" if alert["severity"] else wide


def _flaps(alert: Mapping[str, Any]) -> str:
    count = alert["times_fired_last_hour"]
    return f", fired {count} times in an hour" if count > 1 else ""


def _metrics(found: Mapping[str, Any]) -> Iterator[Row]:
    for each in found["metrics"]:
        before = f", before {each['earlier'][0]['value']:g}" if each["earlier"] else ""
        yield row(
            each["name"], (f"  {each['value']:g} {each['unit']}", "bold"), f"  {_ago(each['time'], found)}{before}"
        )


def _on_call(found: Mapping[str, Any]) -> Iterator[Row]:
    for each in found["on_call"]:
        if each["person"] is None:
            until = (
                f"; next {each['next']['person']} from {_clock(each['next']['from'], found)}" if each["next"] else ""
            )
            since = f" since {_clock(each['since'], found)}" if each["since"] else ""
            yield row(("nobody", "bold red"), f"{since}{until}  (rota {each['rota']})")
            continue
        yield row((each["person"], "bold"), f"{_watch(each, found)}  (rota {each['rota']})")
    if not found["on_call"]:
        yield row(("nobody", "bold"), "  no rota covers this service")


def _watch(on_call: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """How to reach who is on call, for whom they stand in, until when, and who comes then."""
    contact = f" {on_call['contact']}" if on_call["contact"] else ""
    instead = f" instead of {on_call['instead_of']}" if on_call["instead_of"] else ""
    if not on_call["until"]:
        return contact + instead
    following = on_call["next"]
    then = following["person"] if following and following["from"] == on_call["until"] else "nobody"
    return f"{contact}{instead} until {_clock(on_call['until'], found)}, then {then}"


def _responsible(found: Mapping[str, Any]) -> Row:
    person = found["responsible"]
    if person is None:
        return row(("nobody", "bold red"), "  no commander, no owner, nobody on call")
    why = {"commander": f"commands {person['of']}", "owner": "owns it", "on_call": f"on call, rota {person['of']}"}
    return row((person["person"], "bold"), f"  {why[person['as']]}")


# What changed


def _recent(found: Mapping[str, Any]) -> Iterator[Row]:
    recent = found["recent"]
    for each in recent["in_flight"]:
        if each["kind"] == "deployment":
            yield row(
                (f"{_age(each['age_seconds']):>8}  ", "dim"), ("deploying ", "yellow"), each["version"], "  in flight"
            )
    items = {each["position"]: each for name, group in recent.items() if name != "in_flight" for each in group}
    for each in sorted(items.values(), key=lambda item: (_instant(item["time"]), item["position"]), reverse=True):
        if each["type"] != "deployment.started":
            yield row((f"{_age(_seconds(each['time'], found)):>8}  ", "dim"), *_change(each))


def _change(item: Mapping[str, Any]) -> tuple[str | tuple[str, str], ...]:
    what = item["version"] or ""
    if item["type"].startswith(("feature.", "configuration.", "migration.")):
        what = item["detail"] or item["reference"] or ""
    kind = {"rollback": ", a rollback", "return_forward": ", forward again", "restore": ", restored"}
    was = f" (was {item['replaced']}{kind.get(item['change'], '')})" if item["replaced"] else ""
    return f"{VERBS.get(item['type'], item['type'])} ", (what, "bold"), was


def _elsewhere(found: Mapping[str, Any]) -> Iterator[Row]:
    for each in found["elsewhere"]:
        verb = VERBS.get(each["type"], each["type"])
        age = f"{_age(_seconds(each['time'], found)):>8}  "
        yield row((age, "dim"), (each["service"], "bold"), f" {verb} {each['what'] or ''}")


def _heard(found: Mapping[str, Any]) -> Iterator[Row]:
    """Of this slot, then of any: silence is told apart from calm."""
    for where, member in (("", "slot_age_seconds"), ("of anything: ", "age_seconds")):
        ages = ((feed, found["freshness"][feed][member]) for feed in FEEDS)
        told = (f"{feed.replace('_', ' ')} {'never' if age is None else _short(age)}" for feed, age in ages)
        yield row((where, "dim"), ", ".join(told), whole=True)


def _compare(found: Mapping[str, Any]) -> Iterator[Row]:
    if found["compare_url"]:
        yield row(("compare ", "dim"), _COMMIT.sub(r"\1", found["compare_url"]), paste=True)


_COMMIT = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28}\b")
"""A whole commit; its first twelve digits name it as well, and fit."""


def _commands(found: Mapping[str, Any]) -> Iterator[Row]:
    for each in found["commands"]:
        yield row((each["command"], "cyan"), (f"  # {each['do']}", "dim"), paste=True)


# Times


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _seconds(text: str, found: Mapping[str, Any]) -> int:
    return int((_instant(found["as_of"]) - _instant(text)).total_seconds())


def _ago(text: str, found: Mapping[str, Any]) -> str:
    return f"{_age(_seconds(text, found))} ago"


def _since(text: str, found: Mapping[str, Any]) -> str:
    return f"{_clock(text, found)}, {_ago(text, found)}"


def _clock(text: str, found: Mapping[str, Any]) -> str:
    """A moment in UTC: its time alone where it is of the day that is asked about."""
    moment, today = _instant(text).astimezone(UTC), _instant(found["as_of"]).astimezone(UTC)
    return f"{moment:%H:%M:%S}Z" if moment.date() == today.date() else f"{moment:%Y-%m-%d %H:%M}Z"


def _age(seconds: int) -> str:
    """A length of time in its largest unit, as people say it."""
    for size, unit in ((86_400 * 2, 86_400), (3600 * 2, 3600), (120, 60)):
        if seconds >= size:
            return f"{seconds // unit} {_UNITS[unit]}"
    return f"{seconds} s"


def _short(seconds: int) -> str:
    number, unit = _age(seconds).split()
    return f"{number}{unit[0]}"


_UNITS = {86_400: "days", 3600: "h", 60: "min"}


def _stopwatch(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def shown(rows: Sequence[Row]) -> list[str]:
    """The words of rows, without their styles."""
    return ["".join(text for text, _ in each.words) for each in rows]
