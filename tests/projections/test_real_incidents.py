"""
A real organisation's incidents, beside its 9,191 deployments: loaded whole, and compared with what others counted.

120 incidents in 708 events, passed on by a relay: 116 resolved and 4 never; 5
said to be over before they began, 21 more published only after they were over,
24 published before they began. None gives an error, none is put right silently.
"""

import gzip
import json
import pathlib
import subprocess
import sys
import time
from urllib.parse import quote

import pytest

from ledger.values import instant
from tests.server import PATIENCE_S, Server

SHARED = pathlib.Path(__file__).parents[2] / "../shared"
DATA = SHARED / "data" / "jenkins-infra"
TOOL = SHARED / "tools" / "history_to_events.py"
SEVERITY = {"down": "SEV-1", "disrupted": "SEV-2", "notice": "SEV-3"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="the real histories lie in ../shared, not here"),
]


def drafts(kind, *names):
    paths = [str(DATA / name) for name in names]
    made = subprocess.run([sys.executable, str(TOOL), kind, *paths], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in made.stdout.splitlines()]


@pytest.fixture(scope="module")
def oracle():
    return json.loads((DATA / "incidents.oracle.json").read_text())


@pytest.fixture(scope="module")
def records():
    """The incidents as they were published, without the maintenances."""
    lines = (DATA / "incidents.ndjson").read_text().splitlines()
    return {each["id"]: each for each in map(json.loads, lines) if each["kind"] == "incident"}


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Reads from a server that has them all."""
    server = Server(tmp_path_factory.mktemp("real")).start()
    relay = server.client("relay")
    try:
        deployments = drafts("deployments", "deployments.part1.ndjson.gz", "deployments.part2.ndjson.gz")
        assert relay.append(*deployments)["count"] == 9191
        loaded = relay.append(*drafts("incidents", "incidents.ndjson"))
        assert loaded["count"] == 708
        client = server.client("auditor")
        until = time.monotonic() + PATIENCE_S
        while client.get("/v1/incidents", at_least=loaded["last"], limit=1).status == 503:
            assert time.monotonic() < until
        yield client
    finally:
        server.close()


def get(reader, path, **query):
    answer = reader.get(path, **query)
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.fixture(scope="module")
def answers(reader, records):
    """Each incident's answer, by id."""
    return {name: get(reader, f"/v1/incidents/{quote(name, safe='')}") for name in records}


def test_every_incident_is_listed_once(reader, records):
    """With the severity that it had in the end, and whether it was ever resolved."""
    listed = get(reader, "/v1/incidents", limit=1000)["items"]
    assert {each["id"]: each["severity"] for each in listed} == {
        name: SEVERITY[each["severity"]] for name, each in records.items()
    }
    active = {each["id"] for each in get(reader, "/v1/incidents", active="true", limit=1000)["items"]}
    assert active == {name for name, each in records.items() if each["resolved"] is None}
    assert (len(listed), len(active)) == (120, 4)


def test_those_never_resolved_are_as_the_oracle_says(answers, oracle):
    """And have no time to resolve."""
    never = {name for name, each in answers.items() if each["active"]}
    assert never == set(oracle["unresolved_at_end"]) & answers.keys()
    assert all(answers[name]["measures"]["time_to_resolve"]["seconds"] is None for name in never)
    assert all(answers[name]["impact"]["ongoing"] for name in never)


def test_durations_are_as_the_oracle_says_negative_ones_too(answers, oracle):
    """From start to end as published: 116, of which 5 end before they begin."""
    told = {name: each["measures"]["time_to_mitigate"]["seconds"] for name, each in answers.items()}
    expected = {name: length for name, length in oracle["duration_seconds_by_id"].items() if name in told}
    assert {name: length for name, length in told.items() if length is not None} == expected
    assert (len(expected), sum(length < 0 for length in expected.values())) == (116, 5)


def test_customer_impact_is_never_negative(answers, oracle):
    """A window that ends before it begins has no length."""
    for name, each in answers.items():
        if (length := oracle["duration_seconds_by_id"].get(name)) is not None:
            assert each["impact"]["seconds"] == max(0, length)


def codes(answer):
    return {each["code"] for each in answer["marks"]}


def test_times_that_contradict_each_other_are_marked_and_no_others(answers, records):
    """Resolved before it started, or before anybody published it."""
    contradictory = set()
    for name, each in records.items():
        published = min(instant(update["time"]) for update in each["updates"][:1])
        resolved = instant(each["resolved"]) if each["resolved"] else None
        if resolved is not None and (resolved < instant(each["started"]) or resolved < published):
            contradictory.add(name)
    assert {name for name, each in answers.items() if "contradictory_times" in codes(each)} == contradictory
    early = {name for name, each in records.items() if instant(each["updates"][0]["time"]) < instant(each["started"])}
    assert {name for name, each in answers.items() if "announced_before_impact" in codes(each)} == early
    assert (len(contradictory), len(early)) == (26, 24)


def test_what_was_recorded_years_later_says_so(answers):
    """All of it came by a relay, long after."""
    assert all("late_record" in codes(each) for each in answers.values())
    assert not any("unknown_incident" in codes(each) or "from_mismatch" in codes(each) for each in answers.values())


def test_severities_that_went_back_and_forth_are_kept_in_their_order(answers, oracle):
    """First, worst and last are told apart."""
    changed = {name: each for name, each in oracle["severity_changed_during_life"].items() if name in answers}
    for name, each in answers.items():
        steps = [SEVERITY[to] for _, to in changed.get(name, [])]
        told = [step["name"] for step in each["severities"]["changes"]]
        assert told[1:] == steps
        assert each["severities"]["peak"] == min(told)
    assert {name: len(each) for name, each in changed.items()} == {
        "2020-11-12-get-jenkins-io": 1,
        "2021-06-08-ci-agents-disconnect": 1,
        "2022-02-10-agents-not-allocating-ci": 2,
        "2023-07-06-jira-outage": 1,
        "2025-11-18-cloudflare-outage": 1,
    }


def test_which_were_going_on_at_an_instant_is_as_the_oracle_says(reader, records, oracle):
    """Twenty instants; what customers felt, whether or not it was published yet."""
    for each in oracle["open_at_instants"]:
        names = [name for name in records if name in each["open"]]
        listed = get(reader, "/v1/incidents", as_of=each["instant"], limit=1000)["items"]
        going_on = []
        for row in listed:
            found = get(reader, f"/v1/incidents/{quote(row['id'], safe='')}", as_of=each["instant"])
            if any(window["end"] is None for window in found["impact"]["windows"]):
                going_on.append(row["id"])
        assert sorted(going_on) == sorted(names), each["instant"]


def test_every_timeline_tells_all_of_its_own_events_in_order(reader, records):
    """708 in all, each with its lag, and the deployments around them."""
    own, others = 0, 0
    for name in records:
        items, after = [], None
        while True:
            page = get(reader, f"/v1/incidents/{quote(name, safe='')}/timeline", limit=1000, after=after)
            items += page["items"]
            if (after := page["next"]) is None:
                break
        moments = [(instant(each["time"]), each["position"]) for each in items]
        assert moments == sorted(moments)
        assert all(each["lag"] for each in items)
        own += sum(each["incident"] == name for each in items)
        others += sum(each["incident"] is None for each in items)
    assert own == 708
    assert others == 0, "the incidents name services of another vocabulary than the deployments"


def test_the_affected_services_are_kept_however_many(answers, records):
    """Up to 13 in one incident."""
    for name, each in answers.items():
        assert [slot["service"] for slot in each["affected"]] == list(dict.fromkeys(records[name]["affected"]))
    assert max(len(each["affected"]) for each in answers.values()) == 13


def test_the_deployments_are_beside_them(reader):
    """The answers of slots are not bent by them."""
    with gzip.open(DATA / "deployments.part1.ndjson.gz", "rt") as lines:
        row = json.loads(next(iter(lines)))
    query = {"service": row["service"], "environment": row["environment"]}
    assert get(reader, "/v1/slot/history", **query)["items"]
