"""Versions that went out again though something stood against them."""

from tests.projections.asking import BOB, found, settled_by

RULE = "bad_version_redeployed"


def test_a_version_that_a_person_had_marked_bad(story):
    """Settled once a person clears it."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("09:40").deployed("C")
    marked = story.at("10:00").marked_bad("B")
    again = story.at("11:00").released("B")
    assert found(story, RULE) == [("open", [again, marked])]
    cleared = story.at("12:00").cleared("B")
    assert found(story, RULE) == [("settled", [again, marked])]
    assert settled_by(story, RULE) == [[cleared]]


def test_a_version_that_was_marked_bad_before_it_was_ever_live(story):
    """Somebody knew."""
    marked = story.at("08:00").marked_bad("B")
    release = story.at("09:00").deployed("B")
    assert found(story, RULE) == [("open", [release, marked])]


def test_the_current_version_is_deployed_again_though_it_is_bad(story):
    """It never left, and goes out once more."""
    story.at("08:00").deployed("A")
    marked = story.at("09:00").marked_bad("A")
    again = story.at("10:00").deployed("A")
    assert found(story, RULE) == [("open", [again, marked])]
    story.at("11:00").decided("A", "r1")
    story.at("11:10").rolled_back("A", "r1")
    assert found(story, RULE) == [("open", [again, marked])]


def test_what_came_back_may_be_deployed_again(story):
    """That it came back was the finding; to say so at each deployment says nothing."""
    for hour, version in (("08", "A"), ("09", "B"), ("10", "A"), ("11", "B"), ("12", "B")):
        story.at(f"{hour}:00").deployed(version)
    assert len(found(story, RULE)) == 1


def test_a_version_that_was_rolled_back_from(story):
    """By whomever."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    back = story.at("10:00").deployed("A")
    again = story.at("11:00").deployed("B")
    assert found(story, RULE) == [("open", [again, back])]


def test_a_version_that_was_approved_anew(story):
    """Or cleared, or verified good, after what stood against it and before it went out."""
    story.at("08:00").deployed("A")
    for hour, answer in (("10", "approved"), ("12", "cleared"), ("14", "verified_good")):
        story.at(f"{hour}:00").deployed("B")
        story.at(f"{hour}:20").decided("A", hour)
        story.at(f"{hour}:30").rolled_back("A", hour)
        getattr(story.at(f"{hour}:40"), answer)("B", by=BOB)
    story.at("16:00").deployed("B")
    assert found(story, RULE) == []


def test_an_approval_from_before_answers_nothing(story):
    """It was given before anybody knew; and one from afterwards comes too late."""
    story.at("07:00").approved("B", by=BOB)
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    back = story.at("10:00").deployed("A")
    again = story.at("11:00").deployed("B")
    story.at("12:00").approved("B", by=BOB)
    assert found(story, RULE) == [("open", [again, back])]


def test_a_mark_that_is_dated_back_holds_against_nobody(story):
    """It was recorded after the release."""
    story.at("09:00").deployed("B")
    story.at("08:00", recorded="10:00").marked_bad("B")
    assert found(story, RULE) == []


def test_a_clearing_that_is_dated_back_clears_nothing(story):
    """It settles it, from its recording on."""
    marked = story.at("08:00").marked_bad("B")
    release = story.at("09:00").deployed("B")
    story.at("08:30", recorded="10:00").cleared("B")
    assert found(story, RULE) == [("settled", [release, marked])]


def test_an_implicated_version(story):
    """Until it is exonerated in that incident."""
    story.at("08:00").deployed("A")
    story.at("08:30").declared("INC-1", "SEV-2")
    implicated = story.at("09:00").implicated("INC-1", "B")
    release = story.at("10:00").deployed("B")
    assert found(story, RULE) == [("open", [release, implicated])]
    exonerated = story.at("11:00").exonerated("INC-1", "B")
    assert settled_by(story, RULE) == [[exonerated]]


def test_what_was_only_suspected(story):
    """A rule proposed it, no person said so."""
    story.at("08:30").declared("INC-1", "SEV-2")
    story.at("09:00").suspected("INC-1", "B")
    story.at("10:00").deployed("B")
    assert found(story, RULE) == []


def test_a_rollback_that_was_decided_is_its_deciders_judgement(story):
    """They saw what stands against it."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("09:10").marked_bad("A")
    story.at("09:20").decided("A", "r1")
    story.at("09:30").rolled_back("A", "r1")
    assert found(story, RULE) == []
    story.at("10:00").deployed("C")
    marked = story.at("10:05").marked_bad("B")
    undecided = story.at("10:10").deployed("B")
    assert found(story, RULE) == [("open", [undecided, marked])]


def test_a_rollback_that_did_not_help_says_nothing_against_what_it_left(story):
    """The version that was rolled back from was not to blame."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("10:00").decided("A", "r1")
    story.at("10:10").rolled_back("A", "r1")
    story.at("10:30").rollback_ineffective("r1")
    story.at("11:00").deployed("B")
    assert found(story, RULE) == []
