"""A postmortem: what it says, who stands behind it, what is left to do."""

import pytest

from ledger.events import Submitter
from projections import incident_answers, postmortem
from projections.postmortem import Postmortem
from tests.projections.asking import BOB
from tests.projections.story import Story, time

ACTION = {"text": "watch the queue", "kind": "monitoring", "owner": "ada"}


def tell(story: Story, event: str, by: Submitter | None = None, **data: object) -> int:
    """An event of the postmortem of INC-1."""
    return story.add(f"postmortem.{event}", by, incident="INC-1", **data)


def read(story: Story, as_of: str | None = None, known_at: int | None = None) -> Postmortem:
    """As a reader gets it, by way of the incident's story."""
    with story.answers.at(story.moment(as_of, known_at)) as reader:
        found = incident_answers.story(reader, "INC-1")
        assert found is not None
        return postmortem.of(found.own)


@pytest.fixture
def told(story):
    """An incident that is over, at noon of the first day."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("11:00").resolved("INC-1")
    return story.at("12:00")


def test_of_an_incident_without_one_nothing_is_said(told):
    """No section, no cause, no action, nobody who stands behind it."""
    assert read(told) == Postmortem()


def test_who_writes_it_and_by_when(told):
    """The last owner and the last due time that was given; begun when it was first started."""
    first = tell(told, "started", owner="ada", due="2026-03-05")
    tell(told.at("13:00"), "started", owner="ben")
    found = read(told)
    assert (found.owner, found.due, found.status) == ("ben", "2026-03-05", "draft")
    assert found.started is not None
    assert found.started.position == first


def test_the_last_text_of_a_section_holds(told):
    """And the earlier ones are counted, and can be found."""
    first = tell(told, "section_written", section="summary", text="It broke.")
    second = tell(told.at("13:00"), "section_written", section="summary", text="The queue ran full.")
    section = read(told).sections["summary"]
    assert (section.text, section.position, section.revisions) == ("The queue ran full.", second, 2)
    assert section.earlier == (first,)
    assert (section.at, section.by) == (read(told, as_of="13:00").sections["summary"].at, "person-ada")
    assert read(told, as_of="12:30").sections["summary"].text == "It broke."
    assert read(told, known_at=first).sections["summary"].text == "It broke."


def test_which_text_is_the_last_is_told_by_the_record(told):
    """Not by its time: what is dated back after it was recorded later is still the later word."""
    tell(told.at("14:00"), "section_written", section="summary", text="first recorded")
    tell(told.at("13:00", recorded="15:00"), "section_written", section="summary", text="last recorded")
    assert read(told, as_of="15:00").sections["summary"].text == "last recorded"


def test_sections_are_read_in_their_order(told):
    """The known ones as a postmortem has them, others after them as they came."""
    for name in ("weather", "lessons", "summary", "glossary", "impact"):
        tell(told, "section_written", section=name, text="x")
    assert list(read(told).sections) == ["summary", "impact", "lessons", "weather", "glossary"]


def test_a_text_that_is_retracted_gives_way_to_the_one_before(told):
    """As long as the retraction holds, and from when it was recorded."""
    tell(told, "section_written", section="summary", text="It broke.")
    wrong = tell(told, "section_written", section="summary", text="Nothing broke.")
    retraction = told.at("13:00").retracted(wrong)
    section = read(told).sections["summary"]
    assert (section.text, section.revisions, section.earlier) == ("It broke.", 1, ())
    assert read(told, known_at=wrong).sections["summary"].text == "Nothing broke."
    told.at("14:00").retracted(retraction)
    assert read(told).sections["summary"].text == "Nothing broke."


def test_a_section_whose_only_text_is_retracted_is_gone(told):
    """And a postmortem of nothing else is none."""
    told.at("13:00").retracted(tell(told, "section_written", section="summary", text="x"))
    assert read(told) == Postmortem()


def test_a_corrected_text_is_read_as_corrected(told):
    """It is no revision: its author did not write again."""
    written = tell(told, "section_written", section="summary", text="It brok.")
    told.at("13:00").corrected(written, "text", "It broke.")
    section = read(told).sections["summary"]
    assert (section.text, section.position, section.revisions) == ("It broke.", written, 1)
    assert read(told, known_at=written).sections["summary"].text == "It brok."


def test_an_event_that_belonged_to_another_incident(told):
    """A correction takes it there."""
    moved = tell(told, "section_written", section="summary", text="x")
    told.at("13:00").corrected(moved, "incident", "INC-2")
    assert read(told).status == "none"
    with told.answers.at(told.moment()) as reader:
        other = incident_answers.story(reader, "INC-2")
        assert other is not None
        assert postmortem.of(other.own).sections["summary"].text == "x"


def test_causes_are_told_as_they_were_recorded(told):
    """Each with its kind, and what it is filed under."""
    first = tell(told, "cause_recorded", statement="the queue has no limit", kind="root", category="capacity")
    tell(told, "cause_recorded", statement="a sale began", kind="trigger", by=BOB)
    found = [(each.kind, each.statement, each.category, each.by) for each in read(told).causes]
    assert found == [
        ("root", "the queue has no limit", "capacity", "person-ada"),
        ("trigger", "a sale began", None, "person-bob"),
    ]
    told.retracted(first)
    assert [each.kind for each in read(told).causes] == ["trigger"]


def test_an_action_until_it_is_done(told):
    """Open first, then done, with who said so when."""
    added = tell(told, "action_added", action_id="a1", **ACTION, due="2026-03-10", ticket="OPS-1")
    (action,) = read(told).actions
    assert (action.state, action.text, action.kind, action.owner) == ("open", "watch the queue", "monitoring", "ada")
    assert (action.due, action.ticket, action.added.position) == ("2026-03-10", "OPS-1", added)
    done = tell(told.at("+1d 09:00"), "action_completed", action_id="a1", by=BOB, reason="graph is up")
    (action,) = read(told).actions
    assert action.ended is not None
    assert (action.state, action.reason) == ("done", "graph is up")
    assert (action.ended.position, action.ended.by) == (done, "person-bob")
    assert read(told, as_of="12:00").actions[0].state == "open"


def test_an_action_that_is_cancelled(told):
    """With the reason."""
    tell(told, "action_added", action_id="a1", **ACTION)
    tell(told, "action_cancelled", action_id="a1", reason="the queue is gone")
    (action,) = read(told).actions
    assert (action.state, action.reason) == ("cancelled", "the queue is gone")


def test_the_first_end_of_an_action_holds(told):
    """What is done can't be cancelled."""
    tell(told, "action_added", action_id="a1", **ACTION)
    done = tell(told, "action_completed", action_id="a1")
    tell(told, "action_cancelled", action_id="a1")
    (action,) = read(told).actions
    assert action.ended is not None
    assert (action.state, action.ended.position) == ("done", done)


def test_an_action_that_is_added_again_is_open_again(told):
    """As it is told then; when it was first added is kept."""
    first = tell(told, "action_added", action_id="a1", **ACTION)
    tell(told, "action_completed", action_id="a1")
    again = tell(told, "action_added", action_id="a1", **(ACTION | {"owner": "ben"}), due="2026-04-01")
    (action,) = read(told).actions
    assert (action.state, action.ended, action.owner, action.due) == ("open", None, "ben", "2026-04-01")
    assert (action.first_added.position, action.added.position) == (first, again)


def test_an_end_of_what_nobody_added(told):
    """Is recorded, and makes no action."""
    tell(told, "action_completed", action_id="a1")
    assert read(told).actions == ()


@pytest.mark.parametrize("kind", ["reviewed", "approved", "published"])
def test_how_far_it_got(told, kind):
    """Reviewed, approved, published: the furthest, for whom, and why."""
    tell(told, "started", owner="ada")
    steps = ["reviewed", "approved", "published"]
    for each in steps[: steps.index(kind) + 1]:
        position = tell(told, each, audience="internal", reason="looks right", by=BOB)
    found = read(told)
    assert found.status == kind
    (act,) = getattr(found, kind)
    assert (act.audience, act.reason, act.by, act.position) == ("internal", "looks right", "person-bob", position)


def test_a_review_after_the_approval_takes_nothing_back(told):
    """Several people may look at it."""
    tell(told, "approved")
    tell(told, "reviewed")
    assert read(told).status == "approved"


def test_publications_for_several_audiences(told):
    """Each stands beside the others, with its own position."""
    first = tell(told, "published", audience="internal")
    second = tell(told.at("13:00"), "published", audience="public")
    found = read(told)
    assert [(each.audience, each.position) for each in found.published] == [("internal", first), ("public", second)]
    told.retracted(second)
    assert [each.audience for each in read(told).published] == ["internal"]


def test_what_was_written_after_an_approval(told):
    """Is told: nobody stands behind it yet."""
    tell(told, "section_written", section="summary", text="x")
    approved = tell(told, "approved")
    after = [
        tell(told, "section_written", section="summary", text="y"),
        tell(told, "cause_recorded", statement="z", kind="root"),
        tell(told, "action_added", action_id="a1", **ACTION),
    ]
    tell(told, "action_completed", action_id="a1")
    assert read(told).written_after(approved) == tuple(after)


def test_a_postmortem_that_is_waived(told):
    """With the reason, until somebody goes on with it after all; its actions are tracked all the same."""
    tell(told, "started", owner="ada")
    tell(told, "waived", reason="the same as INC-0")
    tell(told.at("13:00"), "action_added", action_id="a1", **ACTION)
    found = read(told)
    assert (found.status, found.waived[0].reason) == ("waived", "the same as INC-0")
    tell(told.at("14:00"), "section_written", section="summary", text="not quite the same")
    assert read(told).status == "draft"
    assert read(told, as_of="13:00").status == "waived"


def test_words_that_were_taken_out_of_the_record(told):
    """Stay where they were, as taken out."""
    written = tell(told, "section_written", section="summary", text="a name")
    told.redacted(written, "text")
    assert read(told).sections["summary"].text == "[redacted]"


def test_who_decided_goes_before_who_passed_it_on(told):
    """A relay names the person."""
    tell(told, "section_written", section="summary", text="x", decided_by="ben")
    assert read(told).sections["summary"].by == "ben"


def test_times_are_those_of_the_events(told):
    """When it happened, not when it was recorded."""
    tell(told.at("13:00", recorded="18:00"), "section_written", section="summary", text="x")
    assert read(told).sections["summary"].at == _at("13:00")


def _at(text: str) -> int:
    return int(time(text).timestamp() * 1_000_000)


@pytest.mark.parametrize(
    "section,headed", [("root_cause", "Root cause"), ("summary", "Summary"), ("SLO_review", "SLO review"), ("_", "_")]
)
def test_what_a_section_is_headed_by(section, headed):
    """Its name, as words."""
    assert postmortem.title(section) == headed


def test_what_a_reader_misses(told):
    """A summary, a cause, an action."""
    assert postmortem.missing(read(told)) == ["summary", "cause", "action"]
    tell(told, "section_written", section="summary", text="x")
    tell(told, "action_added", action_id="a1", **ACTION)
    assert postmortem.missing(read(told)) == ["cause"]
