"""
What is found in two real organisations' histories, imported: nothing breaks, and nothing cries wolf.

Nobody decided anything in them, nobody commanded; each return is found. What
an import is by its nature (late, from one source) is told once.
"""

import pathlib
import subprocess
import sys
import time
from collections import Counter

import pytest

from projections import findings
from projections.facts import Moment
from scripts import score_history
from tests.projections.test_real_histories import HISTORIES, SHARED, TOOL, History

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TOOL.exists(), reason="the real histories lie in ../shared, not here"),
]

ONCE = {"late_record", "decision_recorded_late"}


@pytest.fixture(scope="module", params=HISTORIES)
def history(request, tmp_path_factory):
    """With its incidents, where it has them."""
    made = History(request.param, tmp_path_factory.mktemp(request.param))
    incidents = pathlib.Path(SHARED / "data" / request.param / "incidents.ndjson")
    if incidents.exists():
        told = subprocess.run([sys.executable, str(TOOL), "incidents", str(incidents)], capture_output=True, check=True)
        score_history.append(made.ledger, told.stdout.splitlines())
        made.answers.runner.catch_up()
    yield made
    made.close()


def found(history, moment):
    with history.answers.at(moment) as reader:
        return findings.findings(reader, {})


def test_each_return_is_found_and_an_import_only_once(history):
    """Returns as others counted them; commanders, decisions and postmortems that there were none of."""
    by_rule = Counter(each.rule for each in found(history, history.now()))
    assert by_rule["rollback_without_decision"] == history.oracle["rollbacks"]["returns_to_older"]
    assert by_rule["late_record"] == 1
    assert by_rule["silent_source"] == by_rule["clock_skew"] == by_rule["break_glass_used"] == 0
    if history.name == "jenkins-infra":
        assert by_rule["incident_without_commander"] == 120
        assert by_rule["decision_recorded_late"] == 1
        assert by_rule["sev1_without_decision"] == 44


def test_what_is_kept_is_what_is_folded_from_the_record(history):
    """Every finding, with all that it says."""
    kept = [each.json() for each in found(history, history.now())]
    folded = [each.json() for each in found(history, Moment(history.ledger.clock.now(), history.answers.reached))]
    assert kept == folded


def test_a_page_of_them_takes_well_under_a_second(history):
    """Once what is kept was read; without reading the record again."""
    found(history, history.now())
    began = time.process_time()
    found(history, history.now())
    assert time.process_time() - began < 0.8
