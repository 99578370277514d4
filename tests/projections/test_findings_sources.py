"""Controls that grew weaker, and machines that ceased to send."""

import pytest

from tests.projections.asking import BOB, RELAY, findings, found, settled_by

# control_weakened


@pytest.mark.parametrize(
    "before,after",
    [
        ({"approval_required": True}, {"approval_required": False}),
        ({"observed": True}, {"observed": False}),
        ({"soak_minutes": 30}, {"soak_minutes": 20}),
        ({}, {"soak_minutes": 5}),
        ({"valid_minutes": 30}, {"valid_minutes": 60}),
        ({}, {"valid_minutes": 600}),
        ({"tier": "production"}, {"tier": "test"}),
        ({"promotes_from": "staging"}, {"promotes_from": "dev"}),
    ],
)
def test_a_control_is_made_weaker(story, before, after):
    """Settled once it is as strong again, or another person seconds it."""
    story.at("09:00").configured(owner="ada", **before)
    weaker = story.at("10:00").configured(**after)
    assert found(story, "control_weakened") == [("open", [weaker])]
    seconded = story.at("10:30").add("decision.seconded", BOB, position=weaker)
    assert settled_by(story, "control_weakened") == [[seconded]]
    if before:
        restored = story.at("11:00").configured(**before)
        assert restored in {each for given in settled_by(story, "control_weakened") for each in given}


@pytest.mark.parametrize(
    "before,after",
    [
        ({"approval_required": False}, {"approval_required": True}),
        ({}, {"approval_required": False}),
        ({"soak_minutes": 20}, {"soak_minutes": 20}),
        ({"soak_minutes": 5}, {"soak_minutes": 20}),
        ({"valid_minutes": 600}, {"valid_minutes": 30}),
        ({}, {"promotes_from": "staging", "tier": "production"}),
    ],
)
def test_a_control_is_made_stronger_or_stays(story, before, after):
    """What was weak when it was first set is not weaker than anything."""
    story.at("08:00").configured(owner="ada", **before)
    first = len(found(story, "control_weakened"))
    story.at("10:00").configured(**after)
    assert len(found(story, "control_weakened")) == first


def test_one_service_is_let_off(story):
    """What held for all no longer holds for it."""
    story.at("09:00").configured(approval_required=True)
    weaker = story.at("10:00").configured(approval_required=False, service="web")
    (told,) = findings(story, rule="control_weakened", service="web")
    assert (told["positions"], told["environment"]) == ([weaker], "production")
    assert findings(story, rule="control_weakened", service="other") == []


def test_a_control_is_taken_back_as_though_it_had_never_been(story):
    """By retracting it, or by correcting it; words may be corrected."""
    setting = story.at("09:00").configured(approval_required=True)
    freeze = story.at("09:00").frozen(reason="feirtag")
    story.at("09:30").corrected(freeze, "reason", "holiday", by=BOB)
    assert found(story, "control_weakened") == []
    one = story.at("10:00").corrected(setting, "approval_required", False, by=BOB)
    two = story.at("10:01").retracted(freeze, by=BOB)
    assert found(story, "control_weakened") == [("open", [two, freeze]), ("open", [one, setting])]
    back = story.at("11:00").retracted(two, by=BOB)
    assert settled_by(story, "control_weakened") == [[back], []]


def test_a_correction_that_makes_a_control_stronger_or_says_nothing(story):
    """Or one whose value was redacted."""
    setting = story.at("09:00").configured(soak_minutes=20)
    story.at("10:00").corrected(setting, "soak_minutes", 30, by=BOB)
    gone = story.at("10:00").corrected(setting, "soak_minutes", 25, by=BOB)
    story.at("10:01").redacted(gone, "value")
    assert found(story, "control_weakened") == []


# silent_source


def daily(story, days, version="v"):
    return [story.at(f"+{day}d 10:00").deployed(f"{version}{day}") for day in days]


def test_a_machine_that_used_to_send_every_day(story):
    """After three days, three times its longest pause; that it sends again settles it."""
    sent = daily(story, range(5))
    story.at("+7d 23:00")
    assert found(story, "silent_source") == []
    story.at("+8d 10:00")
    assert found(story, "silent_source") == [("open", [sent[-1]])]
    assert "pipeline-1 sent nothing for 4 days up to now" in findings(story, rule="silent_source")[0]["detail"]
    back = daily(story, [20])
    assert found(story, "silent_source") == [("settled", [sent[-1]])]
    assert settled_by(story, "silent_source") == [back]


def test_weekends_are_quiet(story):
    """A pause that it made before is its habit."""
    daily(story, [0, 1, 2, 3, 4, 7, 8, 9, 10, 11])
    story.at("+19d 10:00")
    assert found(story, "silent_source") == []
    story.at("+21d 10:00")
    assert len(found(story, "silent_source")) == 1


def test_a_machine_without_a_habit(story):
    """It sent on a few days only; a person is no source."""
    daily(story, range(4))
    for day in range(10, 20):
        story.at(f"+{day}d 10:00").deployed(f"p{day}", by=BOB)
    story.at("+90d 10:00")
    assert found(story, "silent_source") == []


def test_an_import_is_no_habit(story):
    """However many days it is of, and on however many it was brought in: what it sends is old."""
    for day in range(30):
        story.at(f"+{day}d 10:00", recorded=f"+{400 + day // 3}d 10:00").deployed(f"v{day}", by=RELAY)
    story.at("+500d 10:00")
    assert found(story, "silent_source") == []


def test_what_comes_late_is_a_sign_of_life(story):
    """A spool that is flushed is not silence."""
    daily(story, range(5))
    story.at("+4d 12:00", recorded="+7d 10:00").deployed("late")
    story.at("+10d 10:00")
    assert found(story, "silent_source") == []


def test_a_token_that_was_revoked_may_be_silent(story):
    """At once there is nothing to find; later it settles."""
    daily(story, range(5))
    story.at("+5d 10:00").add("access.revoked", subject="pipeline-1")
    story.at("+30d 10:00")
    assert found(story, "silent_source") == []
    others = [story.at(f"+{day}d 10:00").deployed(f"o{day}", by=RELAY) for day in range(31, 36)]
    story.at("+50d 10:00")
    assert found(story, "silent_source") == [("open", [others[-1]])]
    revoked = story.at("+51d 10:00").add("access.revoked", subject="relay-1")
    assert found(story, "silent_source") == [("settled", [others[-1]])]
    assert settled_by(story, "silent_source") == [[revoked]]


def test_silence_is_of_no_single_slot(story):
    """So it is not found by one."""
    daily(story, range(5))
    story.at("+30d 10:00")
    assert found(story, "silent_source", service="web") == []
    assert len(found(story, "silent_source")) == 1
