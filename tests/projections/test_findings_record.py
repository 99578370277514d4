"""Late, by a clock that ran ahead, by break-glass, corrected by oneself, contradictory."""

from ledger.events import Submitter
from tests.projections.asking import BOB, RELAY, findings, found, settled_by
from tests.projections.story import PIPELINE, time

GLASS = Submitter("person-eve", "break_glass", "human")

# late_record, decision_recorded_late


def test_a_fact_that_was_recorded_late(story):
    """With how late it was; a few minutes are nothing."""
    story.at("09:00", recorded="09:04").deployed("A")
    late = story.at("10:00", recorded="10:31").deployed("B")
    assert found(story, "late_record") == [("open", [late])]
    (told,) = findings(story, rule="late_record")
    assert told["detail"] == "1 event by pipeline-1 recorded 31 min after it happened"
    assert (told["service"], told["environment"]) == ("web", "production")


def test_an_imported_history_is_one_finding(story):
    """For each who brought it and each day of bringing, whatever sources it names; it shows the first events."""
    story.at("08:00").deployed("now")
    first = [story.at(f"0{n}:00", recorded="+400d 10:00").deployed(str(n), service=f"s{n}") for n in range(9)]
    more = [story.at(f"0{n}:30", recorded="+400d 11:00").deployed(str(n), service=f"s{n}") for n in range(9)]
    story.at("12:00", recorded="+401d 10:00").deployed("x")
    told = findings(story, rule="late_record")
    assert [len(each["positions"]) for each in told] == [1, 10]
    assert told[1]["positions"] == [*first, more[0]]
    assert told[1]["detail"].startswith("18 events by pipeline-1 recorded up to 400 days after")
    assert (told[1]["service"], told[1]["environment"]) == (None, "production")


def test_of_an_import_a_service_sees_its_own_part(story):
    """Found by its service, it shows and counts that service's events; accepting the whole accepts the part."""
    positions = [story.at(f"0{n}:00", recorded="+9d 10:00").deployed(str(n), service=f"s{n % 2}") for n in range(6)]
    (part,) = findings(story, rule="late_record", service="s1")
    assert part["positions"] == positions[1::2]
    assert (part["service"], part["detail"][:8]) == ("s1", "3 events")
    (whole,) = findings(story, rule="late_record")
    story.at("+9d 11:00").add("finding.accepted", rule="late_record", positions=whole["positions"])
    assert [each["state"] for each in findings(story, rule="late_record", service="s1")] == ["accepted"]
    assert findings(story, rule="late_record", service="other") == []


def test_a_decision_that_was_recorded_late(story):
    """It is told as a decision, not as a late fact; of two people it is two findings."""
    one = story.at("09:00", recorded="12:00").approved("A")
    two = story.at("09:00", recorded="12:00").approved("B", by=BOB)
    assert found(story, "decision_recorded_late") == [("open", [two]), ("open", [one])]
    assert found(story, "late_record") == []


def test_a_correction_of_the_time_changes_how_late_it_was(story):
    """From its recording on, and not before."""
    late = story.at("09:00", recorded="12:00").deployed("A")
    punctual = story.at("12:00").deployed("B")
    right = story.at("12:30").corrected(late, "time", "2026-03-02T11:59:00Z")
    story.at("12:40").corrected(punctual, "time", "2026-03-02T10:00:00Z")
    assert found(story, "late_record") == [("open", [punctual])]
    assert found(story, "late_record", known_at=right) == []
    assert found(story, "late_record", known_at=right - 1) == [("open", [late])]


def test_what_was_retracted_was_not_late(story):
    """It did not happen."""
    late = story.at("09:00", recorded="12:00").deployed("A")
    story.at("12:30").retracted(late)
    assert found(story, "late_record") == []


# clock_skew


def test_a_clock_that_runs_ahead(story):
    """By more than a second. A corrected time takes the finding away."""
    story.at("11:00").deployed("A")
    story.clock = time("11:00:01")
    story.deployed("B")
    story.clock = time("12:00")
    skewed = story.deployed("C")
    assert found(story, "clock_skew") == [("open", [skewed])]
    (told,) = findings(story, rule="clock_skew")
    assert told["detail"] == "1 event by pipeline-1 dated 60 min after it was recorded"
    story.at("13:00").corrected(skewed, "time", "2026-03-02T10:55:00Z")
    assert found(story, "clock_skew") == []


# break-glass


def test_every_use_of_a_break_glass_token(story):
    """Whatever becomes of the event, and whoever finds it."""
    story.at("10:00").deployed("A")
    decided = story.at("10:10").decided("A", "r1", by=GLASS, incident="INC-1")
    declared = story.at("10:11").declared("INC-1", "SEV-1", by=GLASS)
    story.at("10:20").retracted(decided, by=BOB)
    assert found(story, "break_glass_used") == [("open", [declared]), ("open", [decided])]
    assert found(story, "break_glass_used", service="web") == [("open", [decided])]
    assert found(story, "break_glass_used", incident="INC-1") == [("open", [declared]), ("open", [decided])]
    assert found(story, "break_glass_used", service="other") == []


# own_decision_corrected


def test_a_type_of_event_bears_the_article_that_it_takes(story):
    """An incident, a release."""
    for told in (story.at("09:00").declared("INC-1", "SEV-2"), story.at("09:10").approved("A")):
        story.at("10:00").retracted(told)
    assert sorted(each["detail"] for each in findings(story, rule="own_decision_corrected")) == [
        "a release.approved was retracted by who had decided it",
        "an incident.declared was retracted by who had decided it",
    ]


def test_somebody_corrects_a_decision_of_their_own(story):
    """Another's second settles it, and so does taking the correction back."""
    approval = story.at("09:00").approved("A")
    corrected = story.at("10:00").corrected(approval, "version", "B")
    assert found(story, "own_decision_corrected", service="web") == [("open", [corrected, approval])]
    seconded = story.at("10:30").add("decision.seconded", BOB, position=corrected)
    assert settled_by(story, "own_decision_corrected") == [[seconded]]
    again = story.at("11:00").retracted(approval)
    back = story.at("11:30").retracted(again)
    assert found(story, "own_decision_corrected") == [
        ("settled", [again, approval]),
        ("settled", [corrected, approval]),
    ]
    assert settled_by(story, "own_decision_corrected")[0] == [back]


def test_somebody_corrects_what_is_not_their_own(story):
    """A fact, another's decision, or one's own acceptance."""
    fact = story.at("09:00").deployed("A")
    other = story.at("09:00").approved("A", by=BOB)
    accepted = story.at("09:00").add("finding.accepted", rule="late_record", positions=[fact])
    story.at("10:00").corrected(fact, "version", "B")
    story.at("10:00").corrected(other, "version", "B")
    story.at("10:00").retracted(accepted)
    assert found(story, "own_decision_corrected") == []


def test_one_person_by_two_ways(story):
    """Named by a relay, and by their own token."""
    approval = story.at("09:00").approved("A", by=RELAY, decided_by="Ada")
    corrected = story.at("10:00").corrected(approval, "version", "B")
    assert found(story, "own_decision_corrected") == []
    names = {"person-ada": "ada"}
    assert found(story, "own_decision_corrected", name_of=names.get) == [("open", [corrected, approval])]


# contradictory_times of rollbacks


def test_a_rollback_that_ended_before_it_began(story):
    """Or was verified before it was carried out."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("09:10").decided("A", "r1")
    started = story.at("09:30").rollback_started("A", "r1")
    done = story.at("09:20", recorded="09:35").rolled_back("A", "r1")
    assert found(story, "contradictory_times") == [("open", [done, started])]
    story.at("09:40").corrected(done, "time", "2026-03-02T09:34:00Z")
    assert found(story, "contradictory_times") == []


def test_the_machine_that_recorded_is_called_by_its_name(story):
    """Where one is kept."""
    story.at("10:00", recorded="11:00").deployed("A")
    (told,) = findings(story, rule="late_record", name_of={PIPELINE.id: "payments-ci"}.get)
    assert "by payments-ci" in told["detail"]
