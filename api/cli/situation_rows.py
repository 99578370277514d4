"""
A situation in words: one section for each question that a responder asks.

Ages come first, since in the first minute nobody wants to subtract times.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from api.cli import ages, rollback_rows, show
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
        Section("rollback", list(rollback_rows.rows(found))),
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
    severity, practice = _severity(found)
    word = f" {severity}{practice.upper()} " if severity else " no active incident "
    style = "reverse" if practice else GRAVE.get(severity or "", "")
    moment = f"{ages.instant(found['as_of']).astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    when = (f"   as it was at {moment}", "bold") if past else (f"   as of {moment}", "dim")
    return row((word, style), (f"  {found['service']} in {found['environment']}", "bold"), when)


def _severity(found: Mapping[str, Any]) -> tuple[str | None, str]:
    first = next(iter(found["incidents"]), None)
    return (first["severity"], _practice(first)) if first else (None, "")


def _practice(incident: Mapping[str, Any]) -> str:
    """What an incident is that does not count."""
    return " drill" if incident["drill"] else " maintenance" if incident["kind"] == "maintenance" else ""


def _incidents(found: Mapping[str, Any]) -> Iterator[Section]:
    active, noticed = found["incidents"], found["undeclared"]
    if active:
        yield Section("incident", [_incident(each, found) for each in active], rank=1)
    if (response := found["expected_response"]) is not None:
        clock = f"   {ages.stopwatch(response['seconds'])} since {response['severity']}"
        yield Section("response", [row((response["text"], "bold"), (clock, ""), whole=True)])
    if noticed:
        yield Section("not declared", [_noticed(each, found) for each in noticed], rank=1)


def _incident(incident: Mapping[str, Any], found: Mapping[str, Any]) -> Row:
    practice = ", a drill" if incident["drill"] else _practice(incident).replace(" ", ", ", 1)
    about = f"  {incident['severity']}, {incident['state']}{practice}, began {ages.ago(incident['began'], found)}"
    return row((incident["id"], "bold"), f"  {incident['title'] or ''}", (about, "dim"))


def _noticed(incident: Mapping[str, Any], found: Mapping[str, Any]) -> Row:
    suggested = f", perhaps {incident['suggested_severity']}" if incident["suggested_severity"] else ""
    about = f"  detected {ages.ago(incident['began'], found)}{suggested}"
    return row((incident["id"], "bold"), f"  {incident['title'] or ''}", (about, "yellow"))


# Versions


def _released(found: Mapping[str, Any]) -> Row:
    current = found["current"]
    if current is None:
        return row(("nothing", "bold"), "  users see no version of it")
    share = f", {current['exposure']:g} % of users" if current["exposure"] != 100 else ""
    return row(
        (current["version"], "bold"), f"  users see it since {ages.since(current['since'], found)}{share}", whole=True
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
        (deployed["version"], "bold"), f"  installed since {ages.since(deployed['since'], found)}{other}", whole=True
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
        (good["version"], "bold green"),
        f"  {basis}; live until {ages.since(good['last_live_until'], found)}",
        whole=True,
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


# What speaks


def _alerts(found: Mapping[str, Any]) -> Iterator[Row]:
    active = [each for each in found["alerts"] if each["state"] == "active"]
    ended = [each for each in found["alerts"] if each["state"] != "active"]
    if not active:
        age = found["freshness"]["alerts"]["age_seconds"]
        heard = (
            "none was ever heard" if age is None else f"the last one here or elsewhere was heard {ages.age(age)} ago"
        )
        yield row(("none active", "bold"), f"; {heard}")
    for each in active:
        about = f"  {_alert(each)}for {ages.age(ages.seconds(each['since'], found))}{_flaps(each)}"
        yield row((each["name"], "bold red"), about, whole=True)
    for each in ended:
        yield row(each["name"], (f"  resolved {ages.ago(each['until'], found)}{_flaps(each)}", "dim"))


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
            each["name"], (f"  {each['value']:g} {each['unit']}", "bold"), f"  {ages.ago(each['time'], found)}{before}"
        )


def _on_call(found: Mapping[str, Any]) -> Iterator[Row]:
    for each in found["on_call"]:
        if each["person"] is None:
            until = (
                f"; next {each['next']['person']} from {ages.clock(each['next']['from'], found)}"
                if each["next"]
                else ""
            )
            since = f" since {ages.clock(each['since'], found)}" if each["since"] else ""
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
    return f"{contact}{instead} until {ages.clock(on_call['until'], found)}, then {then}"


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
                (f"{ages.age(each['age_seconds']):>8}  ", "dim"),
                ("deploying ", "yellow"),
                each["version"],
                "  in flight",
            )
    items = {each["position"]: each for name, group in recent.items() if name != "in_flight" for each in group}
    for each in sorted(items.values(), key=lambda item: (ages.instant(item["time"]), item["position"]), reverse=True):
        if each["type"] != "deployment.started":
            yield row((f"{ages.age(ages.seconds(each['time'], found)):>8}  ", "dim"), *_change(each))


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
        age = f"{ages.age(ages.seconds(each['time'], found)):>8}  "
        yield row((age, "dim"), (each["service"], "bold"), f" {verb} {each['what'] or ''}")


def _heard(found: Mapping[str, Any]) -> Iterator[Row]:
    """Of this slot, then of any: silence is told apart from calm."""
    for where, member in (("", "slot_age_seconds"), ("of anything: ", "age_seconds")):
        last = ((feed, found["freshness"][feed][member]) for feed in FEEDS)
        told = (f"{feed.replace('_', ' ')} {'never' if age is None else ages.short(age)}" for feed, age in last)
        yield row((where, "dim"), ", ".join(told), whole=True)


def _compare(found: Mapping[str, Any]) -> Iterator[Row]:
    if found["compare_url"]:
        yield row(("compare ", "dim"), _COMMIT.sub(r"\1", found["compare_url"]), paste=True)


_COMMIT = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28}\b")
"""A whole commit; its first twelve digits name it as well, and fit."""


def _commands(found: Mapping[str, Any]) -> Iterator[Row]:
    for each in found["commands"]:
        yield row((each["command"], "cyan"), (f"  # {each['do']}", "dim"), paste=True)
