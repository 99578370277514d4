"""The timeline: what is in it, in which order, who says so, how late, and what was said first."""

from hypothesis import given, settings
from hypothesis import strategies as st

from projections import incident_answers
from projections.incident_timeline import nobody, page, timeline

SHOP = {"service": "shop", "environment": "production"}
NAMES = {"person-ada": "Ada Byron", "pipeline-1": "the pipeline"}


def entries(story, name="INC-1", as_of=None, known_at=None):
    with story.answers.at(story.moment(as_of, known_at)) as reader:
        return timeline(incident_answers.story(reader, name), NAMES.get)


def positions(story, **moment):
    return [each["position"] for each in entries(story, **moment)]


def of(story, position, **moment):
    return next(each for each in entries(story, **moment) if each["position"] == position)


def test_what_changed_in_an_affected_slot_is_told_from_two_hours_before_impact_to_resolution(story):
    """Deployments, releases, rollbacks, features, configuration, migrations; nothing else, nowhere else, no other time."""
    story.at("07:59").deployed("too early")
    first = story.at("08:00").deployed("A")
    told = [first, story.at("09:00").released("A"), story.at("09:10").feature_enabled("x")]
    told += [story.at("09:20").reconfigured("c-1"), story.at("09:30").migrated("m-1", "A", "additive")]
    story.at("09:31").observed("A")
    story.at("09:32").deployed("S", service="shop")
    story.at("09:33").published("B")
    told += [story.at("10:00").impact_started("INC-1"), story.at("10:05").declared("INC-1", "SEV-1")]
    told += [story.at("10:06").decided("A", "RB-1"), story.at("10:08").rolled_back("A", "RB-1")]
    told += [story.at("11:00").resolved("INC-1")]
    story.at("11:01").deployed("too late")
    told += [story.at("12:00").closed("INC-1")]
    assert positions(story) == told


def test_of_one_announced_long_before_it_began_the_response_is_told_from_its_announcement(story):
    """A decision made then belongs to it; what went out then, with nobody feeling anything, does not."""
    story.at("06:00").detected("INC-1")
    story.at("07:00").deployed("A")
    decided = story.at("07:30").decided("A", "RB-1")
    off = story.at("07:40").feature_disabled("x")
    began = story.at("10:00").impact_started("INC-1")
    assert positions(story) == [1, decided, off, began]


def test_an_open_incident_is_told_up_to_the_moment_asked_for(story):
    """It is not over."""
    story.at("10:00").declared("INC-1", "SEV-1")
    later = story.at("15:00").deployed("A")
    assert positions(story) == [1, later]
    assert positions(story, as_of="14:59") == [1]


def test_what_names_the_incident_belongs_to_it_wherever_it_happened(story):
    """A metric, a decision in a slot nobody listed."""
    story.at("10:00").declared("INC-1", "SEV-1")
    metric = story.at("10:05").add("metric.observed", name="errors", value=12, unit="%", incident="INC-1")
    other = story.at("10:06").decided("S", "RB-9", service="shop", incident="INC-1")
    story.at("10:07").add("metric.observed", name="errors", value=3, unit="%", incident="INC-2")
    assert positions(story) == [1, metric, other]


def test_alerts_of_the_slot_and_those_it_was_declared_by_are_told(story):
    """By service and environment, by service alone, or by fingerprint."""
    story.at("09:00").add("alert.fired", fingerprint="f0", name="elsewhere", service="web", environment="staging")
    slot = story.at("09:50").add(
        "alert.fired", fingerprint="f1", name="errors", service="web", environment="production"
    )
    bare = story.at("09:51").add("alert.fired", fingerprint="f2", name="slow", service="web")
    named = story.at("09:52").add("alert.fired", fingerprint="f3", name="pager")
    story.at("09:53").add("alert.fired", fingerprint="f4", name="other", service="shop", environment="production")
    declared = story.at("10:00").declared("INC-1", "SEV-1", alerts=["f3"])
    gone = story.at("10:10").add("alert.resolved", fingerprint="f3", name="pager")
    assert positions(story) == [slot, bare, named, declared, gone]
    assert [each["summary"] for each in entries(story)][:2] == [
        "alert fired: errors (on web@production)",
        "alert fired: slow (on web)",
    ]


def shift(story, person, start, end, **more):
    return story.add("oncall.assigned", rota="first", person=person, **{"from": start, "to": end}, **more)


def test_a_shift_that_begins_in_the_story_is_told_where_it_begins(story):
    """It was planned a week before."""
    story.at("00:00")
    shift(story, "ana", "2026-03-02T00:00:00Z", "2026-03-02T12:00:00Z", services=["web"])
    handed = shift(story, "ben", "2026-03-02T12:00:00Z", "2026-03-03T00:00:00Z", services=["web"])
    shift(story, "chi", "2026-03-02T12:00:00Z", "2026-03-03T00:00:00Z", services=["shop"])
    declared = story.at("11:00").declared("INC-1", "SEV-1")
    resolved = story.at("13:00").resolved("INC-1")
    assert positions(story) == [declared, handed, resolved]
    assert of(story, handed)["time"] == "2026-03-02T12:00:00Z"
    assert positions(story, as_of="11:30") == [declared]


def test_entries_are_in_order_of_time_and_then_of_recording(story):
    """A late one stands where it happened, and says how late it is."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:30").acknowledged("INC-1")
    late = story.at("10:10", recorded="10:41").add("incident.note_added", incident="INC-1", text="looked at graphs")
    assert positions(story) == [1, late, 2]
    found = of(story, late)
    assert (found["lag"], found["lag_seconds"]) == ("recorded 31 min later", 31 * 60)
    assert of(story, 1)["lag"] is None


def test_a_clock_that_ran_ahead_counts_from_the_recording_and_says_so(story):
    """What it claimed is kept."""
    story.at("10:00").declared("INC-1", "SEV-1")
    ahead = story.at("10:10", recorded="10:05").acknowledged("INC-1")
    found = of(story, ahead)
    assert (found["time"], found["claimed_time"]) == ("2026-03-02T10:05:00Z", "2026-03-02T10:10:00Z")
    assert of(story, 1)["claimed_time"] is None


def test_each_entry_says_who_submitted_who_decided_and_in_which_role(story):
    """Roles as they were at that time."""
    story.at("10:00").declared("INC-1", "SEV-1", decided_by="ana")
    story.at("10:01").add("incident.role_assigned", incident="INC-1", role="commander", person="ana")
    before = story.at("10:02").acknowledged("INC-1", decided_by="ana")
    story.at("11:00").add("incident.role_assigned", incident="INC-1", role="commander", person="ben", **{"from": "ana"})
    after = story.at("11:05").mitigated("INC-1", decided_by="ana")
    fact = story.at("11:06").deployed("A")
    assert [of(story, each)["roles"] for each in (1, before, after)] == [[], ["commander"], []]
    assert of(story, before)["submitter"] == {"id": "person-ada", "name": "Ada Byron", "kind": "human"}
    assert of(story, before)["decided_by"] == "ana"
    assert of(story, fact)["submitter"] == {"id": "pipeline-1", "name": "the pipeline", "kind": "machine"}
    assert of(story, fact)["decided_by"] is None


def test_a_person_is_known_by_their_principal_too(story):
    """`decided_by` is an opaque id where somebody decided for themselves."""
    story.at("10:00").declared("INC-1", "SEV-1", decided_by="person-ada")
    story.at("10:01").add("incident.role_assigned", incident="INC-1", role="commander", person="Ada Byron")
    note = story.at("10:02").add("incident.note_added", incident="INC-1", text="on it")
    decided = story.at("10:03").mitigated("INC-1", decided_by="person-ada")
    assert of(story, 1)["decided_by"] == "Ada Byron"
    assert of(story, decided)["roles"] == ["commander"]
    assert of(story, note)["roles"] == []


def test_a_corrected_entry_has_both_values_and_who_corrected_it(story):
    """It stands where the correction puts it; before the correction it stood elsewhere."""
    story.at("10:00").declared("INC-1", "SEV-1")
    told = story.at("10:30").resolved("INC-1", reason="all good")
    story.at("10:20").acknowledged("INC-1")
    moved = story.at("12:00").corrected(told, "time", "2026-03-02T10:10:00Z", reason="misread")
    said = story.at("12:05").corrected(told, "reason", "restarted", reason="more exactly")
    assert positions(story) == [1, told, 3]
    found = of(story, told)
    assert found["time"] == "2026-03-02T10:10:00Z"
    assert found["data"]["reason"] == "restarted"
    assert [(each["field"], each["was"], each["now"], each["position"]) for each in found["corrections"]] == [
        ("time", "2026-03-02T10:30:00Z", "2026-03-02T10:10:00Z", moved),
        ("reason", "all good", "restarted", said),
    ]
    assert found["corrections"][0]["reason"] == "misread"
    assert positions(story, known_at=moved - 1, as_of="12:00") == [1, 3, told]
    assert of(story, told, known_at=moved)["data"]["reason"] == "all good"
    assert of(story, told, known_at=moved - 1, as_of="12:00")["corrections"] == []


def test_a_retracted_entry_is_shown_as_such(story):
    """Not gone, and no key moment any more."""
    story.at("10:00").declared("INC-1", "SEV-1")
    told = story.at("10:30").resolved("INC-1")
    by = story.at("11:00").retracted(told, reason="another incident")
    found = of(story, told)
    assert (found["retracted"]["position"], found["retracted"]["reason"], found["key"]) == (
        by,
        "another incident",
        False,
    )
    assert of(story, told, known_at=by - 1)["retracted"] is None
    undone = story.at("11:10").retracted(by)
    assert of(story, told)["retracted"] is None
    assert of(story, told, known_at=undone - 1)["retracted"] is not None


def test_an_event_that_a_correction_moves_into_the_slot_enters_the_story(story):
    """And leaves it where it was moved out."""
    story.at("10:00").declared("INC-1", "SEV-1")
    elsewhere = story.at("10:05").deployed("A", service="shop")
    here = story.at("10:06").deployed("B")
    story.at("10:30").corrected(elsewhere, "service", "web")
    story.at("10:31").corrected(here, "service", "shop")
    assert positions(story) == [1, elsewhere]
    assert positions(story, known_at=3) == [1, here]


def test_what_was_merged_in_is_part_of_the_story_and_leaves_with_it(story):
    """Its own events, what names it, and the slots it affected."""
    story.at("10:00").declared("INC-1", "SEV-1")
    other = story.at("10:01").declared("INC-2", "SEV-2", affected=[SHOP])
    named = story.at("10:02").add("metric.observed", name="errors", value=1, unit="%", incident="INC-2")
    around = story.at("10:03").deployed("S", service="shop")
    merged = story.at("10:10").merged("INC-2", "INC-1")
    assert positions(story) == [1, other, named, around, merged]
    assert of(story, other)["incident"] == "INC-2"
    story.at("10:20").unmerged("INC-2", "INC-1")
    assert positions(story) == [1]
    assert positions(story, as_of="10:15") == [1, other, named, around, merged]


def test_merging_in_a_circle_comes_to_an_end(story):
    """Nobody should, and somebody will."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01").declared("INC-2", "SEV-1")
    story.at("10:02").merged("INC-1", "INC-2")
    story.at("10:03").merged("INC-2", "INC-1")
    assert positions(story) == [1, 2, 3, 4]
    with story.answers.at(story.moment()) as reader:
        found = incident_answers.incident(incident_answers.story(reader, "INC-1"))
    assert (found["merged_into"], found["leads_to"]["id"], found["merged"]) == ("INC-2", "INC-2", ["INC-2"])


def test_an_old_link_leads_to_where_the_incident_went_in_the_end(story):
    """Through several mergers."""
    for number in (1, 2, 3):
        story.at(f"10:0{number}").declared(f"INC-{number}", "SEV-1")
    story.at("10:10").merged("INC-1", "INC-2")
    story.at("10:11").merged("INC-2", "INC-3")
    story.at("10:12").add("incident.linked", incident="INC-3", other="INC-9", relation="caused_by")
    with story.answers.at(story.moment()) as reader:
        first, last = (incident_answers.incident(incident_answers.story(reader, each)) for each in ("INC-1", "INC-3"))
    assert (first["merged_into"], first["leads_to"]["id"]) == ("INC-2", "INC-3")
    assert (last["leads_to"], last["merged"]) == (None, ["INC-2", "INC-1"])
    assert last["links"] == [{"incident": "INC-9", "relation": "caused_by", "to": True}]


def test_key_moments_and_pins_are_told_apart(story):
    """They stay when a long timeline is shortened."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01").add("incident.note_added", incident="INC-1", text="a", pinned=True)
    story.at("10:02").add("incident.note_added", incident="INC-1", text="b")
    assert [(each["key"], each["pinned"]) for each in entries(story)] == [(True, False), (False, True), (False, False)]


def test_pages_of_the_timeline_join(story):
    """Each goes on after the last entry of the page before; the last says that it is the last."""
    for minute in range(5):
        story.at(f"10:0{5 - minute}", recorded="11:00").add("incident.note_added", incident="INC-1", text=str(minute))
    assert [each["summary"] for each in entries(story)] == ["4", "3", "2", "1", "0"]
    with story.answers.at(story.moment()) as reader:
        told = incident_answers.story(reader, "INC-1")
        first, after = page(told, None, 2, nobody)
        second, then = page(told, after, 2, nobody)
        third, end = page(told, then, 2, nobody)
    assert (first + second + third, end) == (timeline_of(story), None)
    assert page(told, then, 1, nobody)[1] is None


def timeline_of(story):
    with story.answers.at(story.moment()) as reader:
        return timeline(incident_answers.story(reader, "INC-1"))


def test_an_undeclared_detection_is_told_for_a_day(story):
    """Nobody may ever come back to it."""
    story.at("10:00").detected("INC-1")
    soon = story.at("+1d 09:59").deployed("A")
    story.at("+1d 10:01").deployed("B")
    assert positions(story) == [1, soon]


@given(st.permutations(range(6)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_arrival_changes_no_entrys_place(tmp_path_factory, order):
    """What happened is told in the order it happened, however it was recorded."""
    from tests.projections.story import Story

    told = [
        ("10:00", lambda s: s.declared("INC-1", "SEV-1")),
        ("10:05", lambda s: s.deployed("A")),
        ("10:06", lambda s: s.add("incident.note_added", incident="INC-1", text="hm")),
        ("10:10", lambda s: s.decided("A", "RB-1", incident="INC-1")),
        ("10:20", lambda s: s.impact_ended("INC-1")),
        ("10:30", lambda s: s.acknowledged("INC-1")),
    ]
    story = Story(tmp_path_factory.mktemp("models"))
    try:
        for index in order:
            minute, tell = told[index]
            tell(story.at(minute, recorded="12:00"))
        found = [(each["time"][11:16], each["type"]) for each in entries(story)]
    finally:
        story.close()
    assert found == [
        ("10:00", "incident.declared"),
        ("10:05", "deployment.succeeded"),
        ("10:06", "incident.note_added"),
        ("10:10", "rollback.decided"),
        ("10:20", "incident.impact_ended"),
        ("10:30", "incident.acknowledged"),
    ]


def test_every_type_of_event_has_its_line():
    """No placeholder is left, and no event breaks it."""
    from ledger.events import EVENTS
    from projections.wording import summary
    from tests.dsl import event

    for topic in EVENTS:
        line = summary(event(topic))
        assert line
        assert "{" not in line
        assert "None" not in line


def test_a_line_is_one_line():
    """Prose of many lines is joined."""
    from projections.wording import summary
    from tests.dsl import event

    assert summary(event("incident.note_added", text="one\n\ttwo")) == "one two"
    assert summary(event("incident.resolved", reason="rolled\nback")) == "resolved: rolled back"
