"""Approval, stages and freezes: what went past them, and what a date is worth."""

import pytest

from tests.projections.asking import BOB, RELAY, found, rules, settled_by
from tests.projections.story import ADA, PIPELINE, digest

CONTROLS = {
    "release_without_approval",
    "approval_for_other_digest",
    "approved_by_author",
    "approved_by_deployer",
    "skipped_stage",
    "released_during_freeze",
}


def asks_for_approval(story):
    story.at("08:00").configured(approval_required=True)
    return story


# release_without_approval


def test_a_release_that_nobody_approved(story):
    """Where the environment asks for approval; the release itself is recorded all the same."""
    asks_for_approval(story)
    release = story.at("10:00").deployed("A")
    assert found(story, "release_without_approval") == [("open", [release])]
    assert story.current() == "A"


def test_an_approved_release(story):
    """Nothing to find, by any rule."""
    asks_for_approval(story)
    story.at("09:00").approved("A", by=BOB)
    story.at("10:00").deployed("A")
    assert rules(story) == set()


def test_nobody_asks_for_approval(story):
    """Not before the setting was made, and not where a service is let off."""
    story.at("09:00").deployed("A")
    story.at("10:00").configured(approval_required=True)
    story.at("10:30").configured(approval_required=False, service="other")
    story.at("11:00").deployed("B", service="other")
    assert found(story, "release_without_approval") == []


def test_yesterdays_date_on_todays_approval_settles_nothing(story):
    """For controls a decision counts from its recording."""
    asks_for_approval(story)
    release = story.at("10:00").deployed("A")
    late = story.at("09:00", recorded="+1d 09:00").approved("A", by=BOB)
    assert found(story, "release_without_approval") == [("open", [release])]
    assert found(story, "decision_recorded_late") == [("open", [late])]


def test_an_approval_after_the_release_settles_nothing_whatever_its_date(story):
    """Who approves what is out approves nothing."""
    asks_for_approval(story)
    release = story.at("10:00").deployed("A")
    story.at("10:30").approved("A", by=BOB)
    assert found(story, "release_without_approval") == [("open", [release])]


def test_a_release_that_is_reported_late_was_not_approved_by_what_was_recorded_since(story):
    """The approval is recorded first, and dated before: the ledger did not know of it then."""
    asks_for_approval(story)
    story.at("09:00", recorded="12:00").approved("A", by=BOB)
    release = story.at("10:00", recorded="12:30").deployed("A")
    assert found(story, "release_without_approval") == [("open", [release])]


def test_a_history_that_was_recorded_afterwards_is_judged_by_its_dates(story):
    """Setting, approval and release of another year, recorded in order: nothing went past anything."""
    story.at("08:00", recorded="+300d 12:00").configured(approval_required=True)
    story.at("09:00", recorded="+300d 12:00").approved("A", by=BOB)
    story.at("10:00", recorded="+300d 12:00").deployed("A")
    missed = story.at("11:00", recorded="+300d 12:00").deployed("B")
    assert found(story, "release_without_approval") == [("open", [missed])]


def test_a_clock_that_is_behind_by_seconds_does_not_undo_an_approval(story):
    """Times of pipelines are cut to the second, or off by a few."""
    asks_for_approval(story)
    story.at("09:59:40").approved("A", by=BOB)
    story.at("09:59:20", recorded="10:00").deployed("A")
    assert found(story, "release_without_approval") == []


def test_an_approval_that_was_revoked_is_none(story):
    """From the revocation on."""
    asks_for_approval(story)
    story.at("08:30").approved("A", by=BOB)
    story.at("09:00").approval_revoked("A", by=BOB)
    release = story.at("10:00").deployed("A")
    assert found(story, "release_without_approval") == [("open", [release])]


def test_a_revocation_is_of_one_digest_or_of_all(story):
    """The approval of the other digest stands; without a digest none does."""
    asks_for_approval(story)
    for name in ("1", "2"):
        story.at("08:30").approved("A", digest=digest(name), by=BOB)
        story.at("08:30").approved("B", digest=digest(name), by=BOB)
    story.at("09:00").approval_revoked("A", digest=digest("2"), by=BOB)
    story.at("09:00").approval_revoked("B", by=BOB)
    story.at("10:00").deployed("A", digest=digest("1"))
    assert rules(story) == set()
    release = story.at("11:00").deployed("B", digest=digest("1"))
    assert found(story, "release_without_approval") == [("open", [release])]


def test_an_approval_that_was_corrected_to_this_version_counts_from_the_correction(story):
    """Else any old approval could be turned into the one that was missing."""
    asks_for_approval(story)
    approval = story.at("09:00").approved("X", by=BOB)
    release = story.at("10:00").deployed("A")
    story.at("11:00").corrected(approval, "version", "A")
    assert found(story, "release_without_approval") == [("open", [release])]


def test_an_approval_whose_words_were_corrected_counts_as_before(story):
    """Its reason is not what was decided."""
    asks_for_approval(story)
    approval = story.at("09:00").approved("A", by=BOB, reason="looks god")
    story.at("10:00").deployed("A")
    story.at("11:00").corrected(approval, "reason", "looks good", by=RELAY)
    assert found(story, "release_without_approval") == []


def test_a_canary_needs_approval_too(story):
    """Users see it from its first step on; that it completes later is not another release."""
    asks_for_approval(story)
    started = story.at("10:00").release_started("B", 10)
    story.at("10:10").exposed("B", 50)
    story.at("10:20").released("B")
    assert found(story, "release_without_approval") == [("open", [started])]


def test_a_return_to_an_earlier_version_needs_no_approval(story):
    """Nothing stands in the way of a rollback."""
    story.at("07:00").deployed("A")
    story.at("07:30").deployed("B")
    asks_for_approval(story)
    story.at("10:00").decided("A", "r1")
    story.at("10:01").rolled_back("A", "r1")
    assert rules(story) & CONTROLS == set()


def test_an_implied_release_that_was_void_is_none(story):
    """The first release step says that the deployment before it released nothing."""
    asks_for_approval(story)
    story.at("09:00").deployed("A")
    release = story.at("10:00").released("A")
    assert found(story, "release_without_approval") == [("open", [release])]


# approval_for_other_digest


def test_an_approval_for_another_digest(story):
    """What was approved is not what went out, whether or not approval was asked for."""
    approval = story.at("09:00").approved("A", digest=digest("1"), by=BOB)
    release = story.at("10:00").deployed("A", digest=digest("2"))
    assert found(story, "approval_for_other_digest") == [("open", [release, approval])]


@pytest.mark.parametrize("approved,released", [("1", "1"), (None, "1"), ("1", None)])
def test_an_approval_for_this_digest_or_for_any(story, approved, released):
    """Where a digest is not known, the version speaks."""
    story.at("09:00").approved("A", digest=approved and digest(approved), by=BOB)
    story.at("10:00").deployed("A", digest=released and digest(released))
    assert found(story, "approval_for_other_digest") == []


# approved_by_author, approved_by_deployer


@pytest.mark.parametrize("author", ["person-bob", "Bob", "BOB <bob@example.org>", "Robert <bob>"])
def test_an_approval_by_the_author(story, author):
    """By id, by name, or by either part of a name and address; as the artifact or the deployment tells it."""
    story.at("08:00").published("A", author=author)
    approval = story.at("09:00").approved("A", by=BOB)
    release = story.at("10:00").deployed("A")
    names = {"person-bob": "Bob"}
    assert found(story, "approved_by_author", name_of=names.get) == [("open", [release, approval])]


def test_an_approval_by_the_author_as_the_deployment_tells_it(story):
    """Passed on by a relay, by name."""
    approval = story.at("09:00").approved("A", by=RELAY, decided_by="ada@example.org")
    release = story.at("10:00").deployed("A", author="Ada Lovelace <ADA@example.org>")
    assert found(story, "approved_by_author") == [("open", [release, approval])]


def test_a_second_approval_by_somebody_else_is_enough(story):
    """One pair of other eyes."""
    story.at("08:00").published("A", author="person-ada")
    story.at("09:00").approved("A")
    story.at("09:30").approved("A", by=BOB, digest=digest("1"))
    story.at("10:00").deployed("A", digest=digest("1"))
    assert rules(story) & CONTROLS == set()


def test_an_approval_of_ones_own_takes_nobody_elses_away(story):
    """Bob approved it first, for the same digest; Ada, who wrote and released it, did so as well."""
    story.at("08:00").published("A", author="person-ada")
    story.at("09:00").approved("A", by=BOB)
    story.at("09:30").approved("A")
    story.at("10:00").deployed("A", by=ADA)
    assert rules(story) & CONTROLS == set()


def test_a_seconded_approval_is_not_by_the_author_alone(story):
    """Before the release nothing is to be found; after it the finding is settled; one's own word is none."""
    story.at("08:00").published("A", author="person-ada")
    approval = story.at("09:00").approved("A")
    story.at("09:30").add("decision.seconded", position=approval)
    release = story.at("10:00").deployed("A")
    assert found(story, "approved_by_author") == [("open", [release, approval])]
    seconded = story.at("11:00").add("decision.seconded", BOB, position=approval)
    assert found(story, "approved_by_author") == [("settled", [release, approval])]
    assert settled_by(story, "approved_by_author") == [[seconded]]
    story.at("12:00").deployed("B")
    story.at("13:00").deployed("A")
    assert len(found(story, "approved_by_author")) == 1


def test_an_author_whose_name_was_redacted_is_nobody(story):
    """Two redacted names are not the same person."""
    told = story.at("08:00").published("A", author="Ada")
    approval = story.at("09:00").approved("A", by=RELAY, decided_by="Ada")
    story.at("10:00").deployed("A")
    assert len(found(story, "approved_by_author")) == 1
    story.at("11:00").redacted(told, "author")
    story.at("11:00").redacted(approval, "decided_by")
    assert found(story, "approved_by_author") == []


def test_an_approval_by_who_released_it(story):
    """A person who records the release, or who started the pipeline's run."""
    approval = story.at("09:00").approved("A", by=BOB)
    release = story.at("10:00").deployed("A", by=BOB)
    assert found(story, "approved_by_deployer") == [("open", [release, approval])]
    other = story.at("11:00").approved("B", by=BOB)
    run = type(PIPELINE)("ci", "oidc", "machine", {"actor": "bob", "repository": "acme/web"})
    again = story.at("12:00").deployed("B", by=run)
    assert found(story, "approved_by_deployer", name_of={"person-bob": "Bob"}.get) == [
        ("open", [again, other]),
        ("open", [release, approval]),
    ]


def test_a_pipeline_is_not_a_person_who_approves(story):
    """Its token says who made it, not who decided."""
    story.at("09:00").approved("A", by=BOB)
    story.at("10:00").deployed("A")
    assert rules(story) == set()


# skipped_stage


def test_a_version_that_was_never_live_in_the_stage_before(story):
    """Nor there only afterwards."""
    story.at("08:00").configured(promotes_from="staging")
    story.at("09:00").deployed("A", environment="staging")
    story.at("10:00").deployed("A")
    skipped = story.at("11:00").deployed("B")
    story.at("12:00").deployed("B", environment="staging")
    assert found(story, "skipped_stage") == [("open", [skipped])]


def test_another_digest_was_live_in_the_stage_before(story):
    """What was tested is not what went out."""
    story.at("08:00").configured(promotes_from="staging")
    story.at("09:00").deployed("A", environment="staging", digest=digest("1"))
    skipped = story.at("10:00").deployed("A", digest=digest("2"))
    assert found(story, "skipped_stage") == [("open", [skipped])]


def test_no_stage_comes_before(story):
    """Or the setting came only later."""
    story.at("09:00").deployed("A")
    story.at("10:00").configured(promotes_from="staging")
    assert found(story, "skipped_stage") == []


def test_a_return_skips_no_stage(story):
    """What was live here is proven here."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("10:00").configured(promotes_from="staging")
    story.at("11:00").deployed("A")
    story.at("12:00").deployed("B")
    assert found(story, "skipped_stage") == []


# released_during_freeze


@pytest.mark.parametrize("scope", [{}, {"service": "web"}])
def test_a_release_while_the_environment_is_frozen(story, scope):
    """For all its services, or for this one."""
    frozen = story.at("09:00").frozen(**scope)
    release = story.at("10:00").deployed("A")
    story.at("11:00").unfrozen(**scope)
    story.at("12:00").deployed("B")
    assert found(story, "released_during_freeze") == [("open", [release, frozen])]


def test_a_freeze_of_something_else_or_at_another_time(story):
    """Of another service, over by its own date, or ended."""
    story.at("08:00").frozen(service="other")
    story.at("08:00").frozen(until="2026-03-02T09:00:00Z")
    story.at("10:00").deployed("A")
    story.at("11:00").frozen()
    story.at("12:00").unfrozen()
    story.at("13:00").deployed("B")
    assert found(story, "released_during_freeze") == []


def test_a_freeze_that_is_ended_with_an_earlier_date_still_held(story):
    """Its end counts from its recording."""
    frozen = story.at("09:00").frozen()
    release = story.at("10:00").deployed("A")
    story.at("09:30", recorded="12:00").unfrozen()
    assert found(story, "released_during_freeze") == [("open", [release, frozen])]


def test_a_freeze_holds_against_nobody_who_could_not_know_of_it(story):
    """It was recorded after the release."""
    story.at("10:00").deployed("A")
    story.at("09:00", recorded="12:00").frozen()
    assert found(story, "released_during_freeze") == []


def test_a_release_that_goes_on_during_a_freeze(story):
    """It had begun before; more users saw it."""
    story.at("08:00").release_started("B", 10)
    frozen = story.at("09:00").frozen()
    exposed = story.at("10:00").exposed("B", 50)
    assert found(story, "released_during_freeze") == [("open", [exposed, frozen])]


def test_a_remedy_passes_a_freeze(story):
    """A version whose approval names the active incident passes the gate, and so is no finding."""
    story.at("08:00").frozen()
    story.at("09:00").declared("INC-1", "SEV-2")
    story.at("09:10").approved("B", incident="INC-1", by=BOB)
    story.at("09:20").deployed("B")
    assert found(story, "released_during_freeze") == []
    story.at("10:00").resolved("INC-1")
    story.at("10:10").approved("C", incident="INC-1", by=BOB)
    late = story.at("10:20").deployed("C")
    assert [positions[0] for _, positions in found(story, "released_during_freeze")] == [late]
