"""The report model: every member is there, the same question gets the same report, every figure can be traced."""

import json

import pytest

from projections.report_quality import positions
from tests.projections.reporting import told

MEMBERS = (
    "format incident audience zone as_of moment span positions cover summary measures lifecycle timeline versions rollbacks "
    "mitigations impact severities detection response causes sections decisions actions similar links customer_message "
    "reporting findings quality appendix definitions published"
).split()


def whole(story):
    """An incident with every step."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("09:40").impact_started("INC-1")
    story.at("09:45").detected("INC-1", "SEV-1")
    story.at("09:47").declared("INC-1", "SEV-1")
    story.at("09:48").acknowledged("INC-1")
    story.at("09:52").decided("A", "RB-1", incident="INC-1")
    story.at("09:53").rollback_started("A", "RB-1")
    story.at("09:56").rolled_back("A", "RB-1")
    story.at("09:58").impact_ended("INC-1")
    story.at("10:05").rollback_verified("RB-1")
    story.at("10:10").resolved("INC-1")


@pytest.mark.parametrize("audience", ["internal", "public", "auditor"])
def test_every_member_is_there_for_every_audience(story, audience):
    """And all of it is plain JSON."""
    whole(story)
    found = told(story, audience=audience)
    assert sorted(found) == sorted(MEMBERS)
    assert json.loads(json.dumps(found)) == found


def test_every_position_that_is_named_is_in_the_appendix(story):
    """So that every figure can be traced."""
    whole(story)
    found = told(story)
    known = [each["position"] for each in found["appendix"]]
    assert set(positions(found)) == set(known) == set(range(1, 13))
    assert found["positions"] == {"first": 1, "last": 12, "count": 12}
