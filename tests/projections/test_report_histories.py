"""
Reports about 120 real incidents beside 9,191 real deployments: nothing breaks, nothing is made up, none takes long.

Some were announced before they began, resolved before they began, reopened,
or never resolved; up to 29 services are affected by one.
"""

import re
import subprocess
import sys
import time
from functools import cache

import pytest

from ledger.verify import leaf_hash
from projections import incident_answers
from projections.incident_timeline import nobody
from projections.report import AUDIENCES, report
from projections.report_quality import Proofs
from scripts import score_history
from tests.projections.test_real_histories import SHARED, TOOL, History
from tests.projections.test_report_laws import can_be_traced

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TOOL.exists(), reason="the real histories lie in ../shared, not here"),
]


class Leaves(Proofs):
    """The leaf hashes of a ledger whose log nobody sealed yet."""

    def __init__(self, ledger):
        self.ledger = ledger

    def leaf_hash(self, position):
        return leaf_hash(self.ledger.row(position).state).hex()

    def checkpoint(self, position):  # noqa: ARG002 - there is none for any
        return None


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    made = History("jenkins-infra", tmp_path_factory.mktemp("reports"))
    incidents = SHARED / "data" / "jenkins-infra" / "incidents.ndjson"
    told = subprocess.run([sys.executable, str(TOOL), "incidents", str(incidents)], capture_output=True, check=True)
    score_history.append(made.ledger, told.stdout.splitlines())
    made.answers.runner.catch_up()
    yield made
    made.close()


@pytest.fixture(scope="module")
def reports(history):
    """All reports for an audience, each with how long it took; made once."""
    return cache(lambda audience: list(made(history, audience)))


def made(history, audience):
    with history.answers.at(history.now()) as reader:
        for each in incident_answers.page(reader, {}, None, 1000)[0]:
            about = incident_answers.story(reader, each["id"])
            began = time.process_time()
            found = report(about, audience=audience, name_of=nobody, zone=None, proofs=Leaves(history.ledger))
            yield found, time.process_time() - began


@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_real_incident_has_its_report(reports, audience):
    """Every figure can be traced; the largest, of 29 services and 8,700 deployments, takes about a second of work."""
    assert len(reports(audience)) == 120
    for found, _ in reports(audience):
        can_be_traced(found)
        assert found["summary"]["sentence"]
    assert max(took for _, took in reports(audience)) < 4


def test_nothing_is_said_of_what_nobody_recorded(reports):
    """Nobody decided or verified a rollback, nobody commanded, nobody wrote a postmortem."""
    for found, _ in reports("auditor"):
        assert found["measures"]["time_to_execute"]["seconds"] is None
        assert found["measures"]["time_to_verify"]["seconds"] is None
        assert (found["cover"]["commander"], found["cover"]["status"], found["sections"]) == (None, "none", {})
        assert not any(each["decided"] or each["helped"] for each in found["rollbacks"])


def test_times_are_those_of_the_clocks_of_their_people(reports):
    """Thirteen offsets in one history; each report bears that of its declaration."""
    zones = {found["zone"] for found, _ in reports("public")}
    assert len(zones) > 3
    assert all(re.fullmatch(r"UTC([+-]\d\d:\d\d)?", each) for each in zones)


def test_what_is_alike_is_found(reports):
    """The services that broke most have the most to compare with."""
    alike = {found["incident"]: found["similar"] for found, _ in reports("auditor")}
    assert sum(bool(each) for each in alike.values()) > 60
    assert all(len(each) <= 5 and all(one["why"] for one in each) for each in alike.values())
