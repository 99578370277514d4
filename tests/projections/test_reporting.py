"""Which reports an incident owes the authorities, by when, and how that stands."""

import pytest

from projections import incident_answers, reporting

DORA = "EU DORA"


def classified(story, moment="11:00", classification="major", regime=DORA):
    return story.at(moment).add(
        "incident.classified",
        incident="INC-1",
        regime=regime,
        classification=classification,
        criteria={"clients": 9},
        reason="many clients",
    )


def reported(story, moment, kind, reference="R-1", **more):
    return story.at(moment, **more).add(
        "incident.reported", incident="INC-1", regime="eu dora", kind=kind, reference=reference
    )


def read(story, **when):
    """What is told of each regime."""
    with story.answers.at(story.moment(**when)) as reader:
        found = incident_answers.story(reader, "INC-1")
        return reporting.reporting(found, {"person-ada": "Ada"}.get)


def states(story, **when):
    (found,) = read(story, **when)
    return [found[kind]["state"] for kind in reporting.KINDS]


@pytest.fixture
def told(story):
    story.at("09:30").detected("INC-1", "SEV-1")
    story.at("10:00").declared("INC-1", "SEV-1")
    return story


def test_an_incident_that_nobody_classified(told):
    """Owes nothing that is known."""
    assert read(told) == []


def test_what_is_told_of_a_classification(told):
    """By what criteria, when, by whom, and since when one knew of the incident."""
    position = classified(told)
    (found,) = read(told)
    assert found["regime"] == DORA
    assert (found["classification"], found["reportable"], found["criteria"]) == ("major", True, {"clients": 9})
    assert found["reason"] == "many clients"
    assert found["classified"] == {"time": "2026-03-02T11:00:00Z", "position": position, "by": "Ada"}
    assert found["aware"] == {"time": "2026-03-02T09:30:00Z", "position": 1}


def test_the_way_of_three_reports_in_time(told):
    """Each clock starts with what comes before it."""
    major = classified(told)
    assert states(told) == ["due", "not_due", "not_due"]
    initial = reported(told, "12:00", "initial")
    assert states(told) == ["made_in_time", "due", "not_due"]
    between = reported(told, "+2d 12:00", "intermediate", "R-2")
    assert states(told) == ["made_in_time", "made_in_time", "due"]
    reported(told, "+20d 12:00", "final", "R-3")
    (found,) = read(told)
    assert [found[kind]["state"] for kind in reporting.KINDS] == ["made_in_time"] * 3
    assert [found[kind]["due"] for kind in reporting.KINDS] == [
        "2026-03-02T15:00:00Z",
        "2026-03-05T12:00:00Z",
        "2026-04-04T12:00:00Z",
    ]
    assert [found[kind]["counted_from"]["position"] for kind in reporting.KINDS] == [major, initial, between]
    assert [found[kind]["made"]["reference"] for kind in reporting.KINDS] == ["R-1", "R-2", "R-3"]
    assert found["initial"]["made"]["position"] == initial


def test_a_report_that_nobody_made(told):
    """Is overdue from the moment on at which it was due."""
    classified(told)
    assert states(told.at("14:59"))[0] == "due"
    assert states(told.at("15:00"))[0] == "overdue"


def test_a_report_that_came_late(told):
    """Is made, and late; as it is when it was dated back."""
    classified(told)
    reported(told, "14:00", "initial", recorded="16:00")
    assert states(told) == ["made_late", "due", "not_due"]


def test_what_was_so_last_week(told):
    """The same, asked for today."""
    classified(told)
    before = read(told, as_of="12:00")
    known = told.record.head()
    reported(told, "13:00", "initial")
    told.at("+7d 12:00")
    assert read(told, as_of="12:00") == before
    assert states(told, as_of="16:00", known_at=known)[0] == "overdue"


def test_what_asks_for_no_report(told):
    """None is required; one that was made all the same is told, without a clock."""
    classified(told, classification="not major")
    assert states(told) == ["not_required"] * 3
    reported(told, "12:00", "initial")
    (found,) = read(told)
    assert (found["reportable"], found["initial"]["state"], found["initial"]["due"]) == (False, "made", None)


def test_a_classification_that_is_taken_back(told):
    """What was made stays made, the rest is no longer required."""
    classified(told)
    reported(told, "12:00", "initial")
    classified(told, "13:00", "not major")
    (found,) = read(told)
    assert [found[kind]["state"] for kind in reporting.KINDS] == ["made_in_time", "not_required", "not_required"]
    assert [each["classification"] for each in found["classifications"]] == ["major", "not major"]


def test_what_is_major_again(told):
    """The clock runs from that on."""
    classified(told)
    classified(told, "12:00", "not major")
    classified(told, "+2d 12:00", "major")
    (found,) = read(told)
    assert (found["initial"]["state"], found["initial"]["due"]) == ("due", "2026-03-04T16:00:00Z")
    assert found["classified"]["time"] == "2026-03-04T12:00:00Z"


def test_a_late_report_is_late_whatever_comes_after(told):
    """That it was major once more starts no new clock for a report that was made."""
    classified(told)
    reported(told, "16:00", "initial")
    classified(told, "17:00", "not major")
    classified(told, "18:00", "major")
    assert states(told)[0] == "made_late"


def test_a_regime_whose_clocks_are_not_known(told):
    """What was made is told, and nothing is made up."""
    classified(told, regime="NIS2")
    story_of = told.at("12:00")
    story_of.add("incident.reported", incident="INC-1", regime="nis2", kind="initial", reference="N-1")
    (found,) = read(told.at("+90d 12:00"))
    assert (found["regime"], found["has_clocks"]) == ("NIS2", False)
    assert [found[kind]["state"] for kind in reporting.KINDS] == ["made", "not_due", "not_due"]
    assert [found[kind]["due"] for kind in reporting.KINDS] == [None] * 3


def test_what_was_reported_and_never_classified(told):
    """Is told all the same, without a clock."""
    reported(told, "12:00", "initial")
    (found,) = read(told)
    assert (found["regime"], found["classification"], found["classified"]) == ("eu dora", None, None)
    assert [found[kind]["state"] for kind in reporting.KINDS] == ["made", "not_due", "not_due"]


def test_several_regimes_stand_side_by_side(told):
    """Each with its own reports, however its name is written."""
    classified(told)
    classified(told, "11:30", regime="NIS2")
    reported(told, "12:00", "initial")
    found = read(told)
    assert [(each["regime"], each["initial"]["state"]) for each in found] == [
        (DORA, "made_in_time"),
        ("NIS2", "not_due"),
    ]


def test_a_drill_owes_no_report(story):
    """Practising to classify is no duty."""
    story.at("10:00").declared("INC-1", "SEV-1", mode="drill")
    classified(story)
    assert states(story.at("+2d 10:00"))[0] == "not_required"


def test_corrected_and_retracted_reports(told):
    """Count as they stand."""
    classified(told)
    made = reported(told, "12:00", "initial")
    told.at("13:00").corrected(made, "reference", "R-9")
    assert read(told)[0]["initial"]["made"]["reference"] == "R-9"
    told.retracted(made)
    assert states(told)[0] == "due"
