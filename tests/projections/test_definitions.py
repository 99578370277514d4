"""Every measure is defined once, in words that fit what is worked out."""

import pathlib
import re

import pytest

from ledger.events import EVENTS
from projections import definitions, measures
from projections.definitions import ALL, DELIVERY, INCIDENT
from projections.incident import State


def test_the_two_times_of_each_incident_measure_are_those_that_are_worked_out():
    """The same names, in the same order."""
    found = measures.measures(State(), [], [])
    assert [(name, each.start_name, each.end_name) for name, each in found.items()] == [
        (each.name, each.start, each.end) for each in INCIDENT.values()
    ]


def test_the_five_delivery_measures_are_doras():
    """By DORA's names."""
    assert list(DELIVERY) == [
        "deployment_frequency",
        "change_lead_time",
        "change_fail_rate",
        "failed_deployment_recovery_time",
        "deployment_rework_rate",
    ]


@pytest.mark.parametrize("each", ALL.values(), ids=list(ALL))
def test_a_definition_says_what_it_is_and_where_it_comes_from(each):
    """Words that end, and events that exist."""
    assert each.text.endswith(".")
    assert each.missing.endswith(".")
    assert all(source in EVENTS or source in ("time", "recordedtime") for source in each.source)
    assert (each.start is None) == (each.end is None)
    assert re.fullmatch("[a-z_]+", each.name)


def test_definitions_are_told_as_readers_get_them():
    """With `from` and `to` by their wire names."""
    (found,) = definitions.told(["time_to_execute"])
    assert list(found) == ["name", "title", "unit", "from", "to", "text", "source", "missing"]
    assert (found["from"], found["to"]) == ("rollback decided", "rollback succeeded")


@pytest.mark.parametrize("each", ALL.values(), ids=list(ALL))
def test_every_measure_is_documented_with_its_source(each):
    """docs/measures.md is where people look it up."""
    page = (pathlib.Path(__file__).parents[2] / "docs" / "measures.md").read_text()
    assert f"`{each.name}`" in page
    if each.name in INCIDENT or each.name in DELIVERY:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{each.name}` |")]
        assert row.split(" | ")[1:3] == [each.start or "", each.end or ""] or each.start is None
        assert set(re.findall(r"`([a-z_]+\.[a-z_]+)`", row)) <= set(each.source)
