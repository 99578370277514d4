"""`lastgood metrics`: tables of figures for people, every value for programs."""

import json
from xml.etree import ElementTree as ET

import pytest

SLOT = {"service": "web", "environment": "production"}


@pytest.fixture
def told(fresh_server):
    """A record with three incidents, one of them still going on, a drill, and four deployments, one rolled back."""
    events = [
        deployed("1", "08:00", committed_at="2026-03-02T07:00:00Z"),
        deployed("2", "09:00", committed_at="2026-03-02T08:30:00Z"),
        event("rollback.decided", "09:25", rollback_id="r1", to_version="1", **SLOT),
        event("rollback.succeeded", "09:30", rollback_id="r1", to_version="1", **SLOT),
        *incident("INC-1", "09:10", "09:40"),
        *incident("INC-2", "10:00", "11:30"),
        *incident("INC-3", "12:00", None),
        *incident("DRILL", "12:10", "12:20", mode="drill"),
        deployed("3", "13:00", incident="INC-3"),
        event("deployment.succeeded", "13:10", deployment_id="t", version="1", service="web", environment="test"),
    ]
    fresh_server.last = fresh_server.client("responder").append(*events)["last"]
    return fresh_server


def event(topic, clock, **data):
    return {"type": topic, "time": f"2026-03-02T{clock}:00Z", "data": data}


def deployed(version, clock, **more):
    return event("deployment.succeeded", clock, deployment_id=f"d{version}", version=version, **SLOT, **more)


def incident(name, declared, resolved, **more):
    data = {"incident": name, "title": "it is down", "severity": "SEV-2", "kind": "outage", "affected": [SLOT], **more}
    yield event("incident.declared", declared, **data)
    if resolved is not None:
        yield event("incident.resolved", resolved, incident=name, reason="as told")


def ask(lastgood, server, *words):
    shown = lastgood(
        *("metrics", *words, "--from", "2026-03-01", "--to", "2026-03-08", "--at-least", str(server.last)),
        *("--url", server.url, "--token", server.tokens["auditor"]),
    )
    assert shown.exit_code == 0, shown.stderr
    return shown


def cells(shown):
    """The rows of a table, by what its columns are called."""
    header, *lines = shown.stdout.splitlines()
    names = ["measure", "n", "missing", "open", "contradictory", "median", "90th percentile", "share"]
    starts = [header.index(name) for name in names]
    ends = [*starts[1:], None]
    found = [[line[start:end].strip() for start, end in zip(starts, ends, strict=True)] for line in lines]
    return {row[0]: dict(zip(names, row, strict=True)) for row in found}


def test_incidents_as_a_table(lastgood, told):
    """Worked out by hand: 30 and 90 minutes to resolve, and one that still goes on."""
    shown = ask(lastgood, told, "incidents")
    found = cells(shown)
    assert found["Time to resolve"] == {
        "measure": "Time to resolve",
        "n": "2",
        "missing": "",
        "open": "1",
        "contradictory": "",
        "median": "1 h",
        "90th percentile": "1 h 24 min",
        "share": "",
    }
    assert found["Time to acknowledge"]["missing"] == "2"
    assert found["Time to acknowledge"]["median"] == "-"
    assert shown.stderr.splitlines() == [
        "from 2026-03-01T00:00:00Z to 2026-03-08T00:00:00Z, days by UTC",
        "3 incidents, 1 of them open and told apart",
        "left out: 1 drill",
    ]


def test_delivery_as_a_table(lastgood, told):
    """The five measures; frequency by day and by week; what is production, and by what."""
    shown = ask(lastgood, told, "delivery")
    found = cells(shown)
    assert list(found) == [
        "Deployments a day",
        "Deployments a week",
        "Change lead time",
        "Change fail rate",
        "Failed deployment recovery time",
        "Deployment rework rate",
    ]
    assert (found["Change lead time"]["median"], found["Change lead time"]["missing"]) == ("45 min", "1")
    assert found["Change fail rate"]["share"] == "1 of 3 (33.3 %)"
    assert found["Failed deployment recovery time"]["median"] == "30 min"
    assert found["Deployment rework rate"]["share"] == "1 of 3 (33.3 %)"
    assert "production: production (by its name, 1 service)" in shown.stderr
    assert "left out: test (by its name, 1 service)" in shown.stderr
    assert "3 deployments; beside them 0 failed and 0 cancelled attempts, 1 rollback, 0 told twice" in shown.stderr


def test_without_a_word_both_are_told(lastgood, told):
    """One after the other, each under its name; in JSON as one object."""
    shown = ask(lastgood, told)
    lines = shown.stdout.splitlines()
    assert [line for line in lines if line in ("incidents", "delivery")] == ["incidents", "delivery"]
    both = json.loads(ask(lastgood, told, "--output", "json").stdout)
    assert list(both) == ["incidents", "delivery"]
    alone = json.loads(ask(lastgood, told, "delivery", "--output", "json").stdout)
    assert both["delivery"]["measures"] == alone["measures"]


def test_by_group_the_first_column_names_it(lastgood, told):
    """All together first."""
    lines = ask(lastgood, told, "delivery", "--by", "service").stdout.splitlines()
    assert lines[0].split()[:2] == ["service", "measure"]
    assert [line.split()[0] for line in lines[1:]] == ["all"] * 6 + ["web"] * 6
    by_team = ask(lastgood, told, "incidents", "--by", "team").stdout.splitlines()
    assert by_team[-1].startswith("not told")


def test_the_picture_shows_every_length(lastgood, told, tmp_path):
    """As a file beside the table, or alone; with a text alternative that says the figures."""
    shown = ask(lastgood, told, "--picture", str(tmp_path / "times.svg"))
    assert "Time to resolve" in shown.stdout
    drawn = (tmp_path / "times.svg").read_text()
    root = ET.fromstring(drawn)
    said = root.attrib["aria-label"]
    assert "Time to resolve: n 2, 1 open, median 1 h, 90th percentile 1 h 24 min" in said
    assert "Change lead time: n 2, 1 missing, median 45 min" in said
    assert ask(lastgood, told, "--output", "svg").stdout == drawn
    by_service = ET.fromstring(ask(lastgood, told, "delivery", "--by", "service", "--output", "svg").stdout)
    assert "web: Change lead time: n 2" in by_service.attrib["aria-label"]


def test_a_picture_that_cannot_be_written_is_told(lastgood, told, tmp_path):
    """Not a traceback."""
    where = ("--url", told.url, "--token", told.tokens["auditor"])
    shown = lastgood("metrics", "--picture", str(tmp_path / "nowhere" / "times.svg"), *where)
    assert shown.exit_code == 3
    assert "cannot be written" in shown.stderr


def test_json_is_the_ledgers_own_answer(lastgood, told):
    """Each value with its incident and positions, and the definitions."""
    answer = json.loads(ask(lastgood, told, "incidents", "--output", "json").stdout)
    values = answer["measures"]["time_to_resolve"]["values"]
    assert [(each["incident"], each["seconds"]) for each in values] == [("INC-1", 1800), ("INC-2", 5400)]
    assert all(each["from"]["position"] < each["to"]["position"] for each in values)
    assert answer["definitions"][0]["name"] == "time_to_detect"


def test_filters_and_the_moment_reach_the_ledger(lastgood, faulty):
    """All of those given, and no other."""
    lastgood(
        *("metrics", "incidents", "--from", "2026-01-01", "--to", "2026-02-01T00:00:00Z", "--zone", "Europe/London"),
        *("--service", "a/b", "--environment", "production", "--team", "core", "--by", "month", "--output", "json"),
        *("--as-of", "2026-11-22T21:00:00Z", "--known-at", "12", "--url", faulty.url),
    )
    asked = faulty.asked[0].path
    for part in (
        "/v1/metrics/incidents?",
        "from=2026-01-01",
        "to=2026-02-01T00%3A00%3A00Z",
        "zone=Europe%2FLondon",
        "service=a%2Fb",
        "environment=production",
        "team=core",
        "by=month",
        "as_of=2026-11-22T21%3A00%3A00Z",
        "known_at=12",
    ):
        assert part in asked
    assert "at_least" not in asked


def test_where_nothing_is_production_the_table_says_what_to_do(lastgood, fresh_server):
    """An empty table alone would leave one guessing."""
    fresh_server.last = fresh_server.client("pipeline").append(
        event("deployment.succeeded", "10:00", deployment_id="d", version="1", service="web", environment="eu-1")
    )["position"]
    shown = ask(lastgood, fresh_server, "delivery")
    assert "production: none; an admin says which it is by environment.configured with tier production" in shown.stderr
    assert cells(shown)["Change fail rate"]["share"] == "-"


@pytest.mark.parametrize(
    "call", [["people"], ["incidents", "--by", "person"], ["--from", ""], ["--output", "xml"]], ids=" ".join
)
def test_wrong_usage(lastgood, call):
    """Exit code 2, and nothing is asked."""
    assert lastgood("metrics", *call).exit_code == 2


def test_a_time_without_an_offset_is_invalid(lastgood):
    """It would be another period everywhere."""
    shown = lastgood("metrics", "--from", "2026-03-01T10:00")
    assert shown.exit_code == 3
    assert "no offset" in shown.stderr
