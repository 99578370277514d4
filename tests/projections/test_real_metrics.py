"""
Figures over two real organisations' deployments and one's incidents, beside what others computed of them.

How many deployments each day had, which versions were rolled back from and how
long each had lived, how long each incident was felt, how long commits took; and
the slow reference over the raw events of every slot that was ever rolled back.
"""

import gzip
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from ledger.contract import accept
from ledger.events import EVENTS, Recorded, Submitter
from ledger.values import instant
from tests.projections import reference_delivery as reference
from tests.projections.test_real_histories import SHARED, TOOL
from tests.server import PATIENCE_S, Server

HISTORIES = ["jenkins-infra", "govuk-20k"]
PERIOD = {"from": "2012-01-01", "to": "2027-01-01"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TOOL.exists(), reason="the real histories lie in ../shared, not here"),
]


class History:
    """One organisation's history in a server of its own; every environment is of tier production."""

    def __init__(self, name, folder):
        self.name, self.data = name, SHARED / "data" / name
        self.oracle = json.loads((self.data / "deployments.oracle.json").read_text())
        lines = [line for path in self._parts() for line in gzip.decompress(path.read_bytes()).splitlines()]
        self.rows = [json.loads(line) for line in lines]
        self.server = Server(folder).start()
        try:
            self._load()
        except BaseException:
            self.server.close()
            raise

    def _load(self):
        self.client = self.server.client("auditor")
        relay, admin = self.server.client("relay"), self.server.client("admin")
        drafts = self._drafts("deployments", *self._parts())
        receipts = [relay.append(*drafts[start : start + 5000]) for start in range(0, len(drafts), 5000)]
        self.first = receipts[0]["first"]
        if (self.data / "incidents.ndjson").exists():
            relay.append(*self._drafts("incidents", self.data / "incidents.ndjson"))
        places = {row["environment"] for row in self.rows}
        tiers = [{"environment": each, "tier": "production"} for each in sorted(places)]
        self.last = admin.append(*({"type": "environment.configured", "data": each} for each in tiers))["last"]
        until = time.monotonic() + PATIENCE_S
        while self.client.get("/v1/slots", at_least=self.last, limit=1).status == 503:
            assert time.monotonic() < until

    def _parts(self):
        return sorted(self.data.glob("deployments.part*.ndjson.gz"))

    def _drafts(self, kind, *paths):
        made = subprocess.run([sys.executable, str(TOOL), kind, *map(str, paths)], capture_output=True, check=True)
        return [json.loads(line) for line in made.stdout.splitlines()]

    def metrics(self, kind, **query):
        answer = self.client.get(f"/v1/metrics/{kind}", **{**PERIOD, "at_least": self.last, **query})
        assert answer.status == 200, answer.body
        return answer.json()

    def position(self, seq):
        """Rows keep their order: the place of a row's `seq` in the record."""
        return seq - (self.oracle["as_of_seq"][-1]["at_seq"] - self.oracle["rows"]) + self.first - 1


@pytest.fixture(scope="module", params=HISTORIES)
def history(request, tmp_path_factory):
    made = History(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    made.server.close()


@pytest.fixture(scope="module")
def delivery(history):
    return history.metrics("delivery")


def test_as_many_deployments_each_day_as_others_counted(history, delivery):
    """By day in UTC; services that were removed were rows there, and are no deployments here."""
    removed = Counter(instant(each["time"]).date().isoformat() for each in history.rows if each["to_version"] is None)
    days = delivery["measures"]["deployment_frequency"]["days"]
    found = Counter({each["name"]: each["deployments"] for each in days["values"]}) + removed
    assert dict(found) == history.oracle["deployments_per_day_utc"]
    assert delivery["deployments"] == len(history.rows) - removed.total()


def test_what_was_rolled_back_from_is_what_others_found(history, delivery):
    """Each return to an older version, and no other, makes the deployment fail that it undid."""
    told = delivery["measures"]["change_fail_rate"]
    because = [why for each in told["values"] for why in each["because"]]
    expected = [history.position(seq) for seq in history.oracle["rollbacks"]["returns_to_older_seqs"]]
    assert told["unmatched"] == []
    assert sorted(why["position"] for why in because) == sorted(expected)
    assert told["failed"] == len(told["values"]) == len({each["position"] for each in told["values"]})


def test_how_long_what_was_rolled_back_from_had_lived(history, delivery):
    """As the pairs of bad and restored versions have it, where they were kept."""
    pairs = history.data / "rollback_pairs.ndjson"
    told = delivery["measures"]["failed_deployment_recovery_time"]
    if not pairs.exists():
        pytest.skip("no pairs of versions were kept of this history")
    expected = {}
    for pair in map(json.loads, pairs.read_text().splitlines()):
        bad = history.position(pair["bad_introduced_seq"])
        expected[bad] = min(pair["bad_lived_seconds"], expected.get(bad, pair["bad_lived_seconds"]))
    assert {each["from"]["position"]: each["seconds"] for each in told["values"]} == expected


def test_lead_times_are_those_of_the_rows(history, delivery):
    """From the author's time to that of the row, instants over many offsets; median and percentile of the library."""
    told, lengths = delivery["measures"]["change_lead_time"], []
    for each in history.rows:
        if each["to_version"] is not None:
            took = instant(each["time"]) - instant(each["authored"])
            lengths.append(int(took.total_seconds()))
    exact = [Fraction(each) for each in sorted(lengths)]
    assert [each["seconds"] for each in told["values"]] == sorted(lengths)
    assert (told["again"], told["missing"]) == (0, 0)
    assert told["median"]["seconds"] == float(statistics.median(exact))
    assert told["p90"]["seconds"] == float(statistics.quantiles(exact, n=10, method="inclusive")[8])
    assert told["contradictory"] == sum(each < 0 for each in lengths)


def test_incidents_lasted_as_long_as_others_counted(history):
    """Impact from its start to its end, below zero too; those never resolved are open, and counted apart."""
    if not (history.data / "incidents.ndjson").exists():
        pytest.skip("no incidents were kept of this history")
    oracle = json.loads((history.data / "incidents.oracle.json").read_text())
    reply = history.metrics("incidents")
    told = reply["measures"]["time_to_mitigate"]
    names = {each["incident"] for each in reply["incidents"]}
    expected = {name: length for name, length in oracle["duration_seconds_by_id"].items() if name in names}
    assert (reply["counted"], len(names)) == (120, 120)
    assert {each["incident"]: each["seconds"] for each in told["values"]} == expected
    assert told["contradictory"] == sum(length < 0 for length in expected.values())
    assert {each["incident"] for each in reply["incidents"] if each["open"]} == names & set(oracle["unresolved_at_end"])
    exact = sorted(Fraction(length) for length in expected.values())
    assert told["median"]["seconds"] == float(statistics.median(exact))


def test_the_slow_reference_agrees_on_every_slot_that_was_ever_rolled_back(history):
    """Over the raw events of that slot, with the incidents that affect any."""
    reply = history.metrics("delivery", by="service")
    slots = {(each["service"], each["environment"]) for each in reply["measures"]["change_fail_rate"]["values"]}
    events = recorded(history)
    as_of = datetime(2026, 12, 31, tzinfo=UTC)
    start, end = instant("2012-01-01T00:00:00Z"), instant("2027-01-01T00:00:00Z")
    for slot in sorted(slots)[:25]:
        own = [each for each in events if of_slot(each, slot)]
        expected = reference.over_many(own, as_of, history.last, start, end)
        found = history.metrics("delivery", service=slot[0], environment=slot[1])
        rate = found["measures"]["change_fail_rate"]
        assert {each["position"] for each in rate["values"]} == set(expected["failed"])
        assert found["deployments"] == len(expected["deployments"])
        recovery = found["measures"]["failed_deployment_recovery_time"]
        assert [round(each["seconds"] * 1_000_000) for each in recovery["values"]] == expected["recovery"][0]
        lead = found["measures"]["change_lead_time"]
        assert [round(each["seconds"] * 1_000_000) for each in lead["values"]] == expected["lead"][0]


def of_slot(each, slot):
    event = each.event
    if each.stream.startswith("slot/"):
        return (event.service, event.environment) == slot
    return each.stream.startswith("incident/") or getattr(event, "environment", None) == slot[1]


def recorded(history):
    """The events as the server gives them out."""
    found, after = [], 0
    while True:
        page = history.client.get("/v1/events", after=after, limit=1000).json()
        found += [_recorded(each) for each in page["items"] if each["type"].startswith(KINDS)]
        after = page["next"]
        if after is None:
            return found


KINDS = ("deployment.", "service.", "incident.", "environment.")


def _recorded(item):
    return Recorded(
        position=item["sequence"],
        stream=item["stream"],
        revision=item["revision"],
        source=item["source"],
        id=item["id"],
        time=item["time"],
        occurred_at=instant(item["time"]),
        recorded_at=instant(item["recordedtime"]),
        submitter=Submitter(item["authid"], item["authmethod"], "machine"),
        event=accept(EVENTS[item["type"]], item["data"]),
    )
