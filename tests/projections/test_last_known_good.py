"""Known good by its five rules, last known good, candidates and their order, the target, and what is told of each."""

import pytest

from tests.projections.story import digest

WEB = {"service": "web", "environment": "production"}
API = {"service": "api", "environment": "production"}


@pytest.fixture
def two(story):
    """A since nine, B since ten."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    return story


@pytest.fixture
def returned(two):
    """A, B, and at eleven back to A by a deployment that nobody decided."""
    two.at("11:00").deployed("A")
    return two


@pytest.fixture
def rolled_back(two):
    """A, B, and at eleven back to A by a decided rollback r1."""
    two.at("10:50").decided("A", "r1")
    two.at("11:00").rolled_back("A", "r1")
    return two


def reasons(story, version, kind="reasons"):
    """The (code, position) of what is told of a candidate."""
    found = next(each for each in story.candidates() if each["version"] == version)
    return {(each["code"], each["position"]) for each in found[kind]}


# Rule 1: live here, and verified or soaked


def test_a_version_is_known_good_once_its_live_time_adds_up_to_the_soak(story):
    """10 minutes by default; as long as is enough."""
    story.at("10:00").deployed("A")
    assert story.good(as_of="10:00") is None
    story.at("10:10")
    assert story.good(as_of="10:09:59") is None
    assert story.good() == "A"
    assert story.slot()["last_known_good"]["basis"] == "soaked"


def test_live_time_adds_up_over_all_periods(story):
    """Six minutes, and then four more."""
    story.at("10:00").deployed("A")
    story.at("10:06").removed()
    story.at("11:00").deployed("A")
    story.at("11:04")
    assert story.good(as_of="11:03:59") is None
    assert story.good() == "A"


def test_time_on_the_shelf_is_no_soak(story):
    """Installed and not released is not live."""
    story.at("10:00").deployed("A", released=False)
    story.at("12:00").released("A")
    assert story.good(as_of="12:05") is None


def test_the_soak_is_what_the_slot_or_else_its_environment_is_configured_to(story):
    """As it is configured at the moment of asking."""
    story.at("08:00").configured(soak_minutes=60)
    story.at("10:00").deployed("A")
    story.at("10:00").deployed("A", service="api")
    story.at("10:20").configured(service="web", soak_minutes=15)
    story.at("10:30")
    assert story.good() == "A"
    assert story.good(as_of="10:19") is None
    assert story.good(service="api") is None
    story.at("11:00")
    assert story.good(service="api") == "A"


def test_a_soak_of_nothing_is_kept_at_once(story):
    """Some environments trust their stages."""
    story.at("08:00").configured(soak_minutes=0)
    story.at("10:00").deployed("A")
    assert story.good() == "A"


def test_a_verified_version_needs_no_soak(story):
    """A person said so, and the basis tells it."""
    story.at("10:00").deployed("A")
    position = story.at("10:01").verified_good("A")
    assert story.good() == "A"
    assert story.slot()["last_known_good"]["basis"] == "verified"
    story.at("11:00").deployed("B")
    assert ("verified_good", position) in reasons(story, "A")


def test_a_verified_rollback_counts_as_a_verification_of_its_target(two):
    """Of the target, and not of what it replaced."""
    two.at("10:02").rolled_back("A", "r1")
    two.at("10:03").deployed("C")
    two.at("10:04").rollback_verified("r1")
    assert two.slot()["last_known_good"]["version"] == "A"
    assert two.slot()["last_known_good"]["basis"] == "verified"
    assert two.against("B") == {"rolled_back_from"}


def test_a_verification_that_is_retracted_does_not_stand(story):
    """Then there is only the time it lived."""
    story.at("10:00").deployed("A")
    verification = story.at("10:01").verified_good("A")
    story.at("10:02").retracted(verification)
    assert story.good() is None
    assert story.good(known_at=verification) == "A"


def test_a_version_that_was_verified_and_never_live_is_no_candidate(two):
    """Known good needs both."""
    two.at("10:30").verified_good("X")
    assert two.ranked() == ["A"]
    assert two.good() == "B"


# Rule 2: rolled back from


def test_a_version_that_was_rolled_back_from_has_that_against_it(rolled_back):
    """With the position of the end that says so."""
    end = rolled_back.history()[-1]["position"]
    assert reasons(rolled_back, "B", "blockers") == {("rolled_back_from", end)}


@pytest.mark.parametrize("word", ["verified_good", "cleared"])
def test_a_person_who_verifies_or_clears_it_since_lifts_that(rolled_back, word):
    """Since its latest such end."""
    getattr(rolled_back.at("11:30"), word)("B")
    assert rolled_back.against("B") == set()


@pytest.mark.parametrize("word", ["verified_good", "cleared"])
def test_what_was_said_before_the_end_does_not_lift_it(two, word):
    """Nobody knew then."""
    getattr(two.at("10:30"), word)("B")
    two.at("11:00").rolled_back("A")
    assert two.against("B") == {"rolled_back_from"}


def test_another_soak_since_lifts_that(rolled_back):
    """Live here for soak_minutes again, however long it was live before."""
    rolled_back.at("12:00").deployed("B")
    rolled_back.at("12:10").deployed("C")
    assert rolled_back.against("B") == set()


def test_less_than_another_soak_does_not(rolled_back):
    """An hour before its end counts for nothing here."""
    rolled_back.at("12:00").deployed("B")
    rolled_back.at("12:09").deployed("C")
    assert rolled_back.against("B") == {"rolled_back_from"}


def test_only_the_latest_end_is_looked_at(rolled_back):
    """Cleared after the first, and rolled back from again."""
    rolled_back.at("11:10").cleared("B")
    rolled_back.at("12:00").deployed("B")
    rolled_back.at("12:30").rolled_back("A", "r2")
    assert rolled_back.against("B") == {"rolled_back_from"}


def test_an_ineffective_rollback_does_not_count(rolled_back):
    """It was not B."""
    rolled_back.at("11:30").rollback_ineffective("r1")
    assert rolled_back.against("B") == set()


def test_where_the_latest_end_does_not_count_the_one_before_does(rolled_back):
    """The first one was effective."""
    rolled_back.at("12:00").deployed("B")
    rolled_back.at("12:05").decided("A", "r2")
    rolled_back.at("12:06").rolled_back("A", "r2")
    rolled_back.at("12:10").rollback_ineffective("r2")
    assert rolled_back.against("B") == {"rolled_back_from"}


@pytest.mark.parametrize("severity", ["SEV-1", "SEV-2"])
def test_an_undecided_return_after_which_a_grave_incident_began_within_two_hours_does_not_count(returned, severity):
    """The return was the mistake."""
    returned.at("13:00").declared("INC-1", severity)
    assert returned.against("B") == set()


@pytest.mark.parametrize("step", [None, "acknowledged", "mitigated"])
def test_so_does_a_detection_that_suggests_as_much_and_that_nobody_declared(returned, step):
    """Whether or not somebody looked at it."""
    returned.at("12:00").detected("INC-1", "SEV-1")
    if step:
        getattr(returned.at("12:05"), step)("INC-1")
    assert returned.against("B") == set()


@pytest.mark.parametrize("step", ["resolved", "incident_cancelled"])
def test_a_detection_that_somebody_ended_excuses_unless_it_was_over_before(returned, step):
    """Told late, it finds an incident that was called off: nothing grave began."""
    returned.at("12:00").detected("INC-1", "SEV-1")
    getattr(returned.at("12:30"), step)("INC-1")
    assert returned.against("B") == set()
    getattr(returned.at("11:50", recorded="13:00"), step)("INC-1")
    assert returned.against("B") == {"rolled_back_from"}


def test_a_detection_that_was_declared_as_less_does_not_excuse(returned):
    """A person said SEV-3."""
    returned.at("12:00").detected("INC-1", "SEV-1")
    returned.at("12:05").declared("INC-1", "SEV-3")
    assert returned.against("B") == {"rolled_back_from"}


def test_it_began_by_its_impact_where_that_is_known(returned):
    """Declared four hours later, and felt after ten minutes."""
    returned.at("15:00").declared("INC-1", "SEV-1")
    returned.at("11:10", recorded="15:01").impact_started("INC-1")
    assert returned.against("B") == set()


@pytest.mark.parametrize(
    "event",
    [
        lambda s: s.at("13:01").declared("INC-1", "SEV-1"),
        lambda s: s.at("12:00").declared("INC-1", "SEV-3"),
        lambda s: s.at("12:00").declared("INC-1", "SEV-1", mode="drill"),
        lambda s: s.at("12:00").declared("INC-1", "SEV-1", kind="maintenance"),
        lambda s: s.at("12:00").declared("INC-1", "SEV-1", affected=[API]),
        lambda s: (s.at("12:00").declared("INC-1", "SEV-1"), s.at("10:30", recorded="12:01").impact_started("INC-1")),
    ],
    ids=["later than two hours", "SEV-3", "a drill", "maintenance", "elsewhere", "before the return"],
)
def test_any_other_incident_does_not_excuse_an_undecided_return(returned, event):
    """B has nothing but its end against it, once the incident is over."""
    event(returned)
    returned.at("12:30", recorded="13:10").resolved("INC-1")
    assert "rolled_back_from" in returned.against("B")


def test_an_incident_that_only_names_a_version_of_this_slot_did_not_begin_here(returned):
    """It affects another service."""
    returned.at("11:30").declared("INC-1", "SEV-1", affected=[API])
    returned.at("11:40").exonerated("INC-1", "A")
    assert returned.against("B") == {"rolled_back_from"}


def test_an_undecided_return_to_a_version_that_was_implicated_does_not_count(returned):
    """Going back was going to the bad one."""
    returned.at("16:00").implicated("INC-9", "A")
    assert returned.against("B") == set()


@pytest.mark.parametrize("event", [lambda s: s.declared("INC-1", "SEV-1"), lambda s: s.implicated("INC-1", "A")])
def test_a_decided_rollback_counts_whatever_happens_after_it(rolled_back, event):
    """A person decided that B was bad."""
    event(rolled_back.at("11:30"))
    rolled_back.at("11:40").resolved("INC-1")
    assert rolled_back.against("B") == {"rolled_back_from"}


def test_a_version_that_was_replaced_going_forward_has_nothing_against_it(two):
    """A change is not a rollback."""
    assert two.against("A") == set()


def test_a_removal_is_no_rollback(story):
    """Nobody said that A was bad."""
    story.at("09:00").deployed("A")
    story.at("10:00").removed()
    assert story.against("A") == set()
    assert story.target() == "A"


# Rule 3: verdicts


def test_a_version_marked_bad_stays_so(two):
    """With the position of who said so."""
    mark = two.at("10:30").marked_bad("A")
    two.at("+20d 10:00")
    assert reasons(two, "A", "blockers") == {("marked_bad", mark)}


def test_an_implicated_version_stays_so(two):
    """With the position of who said so; only a person implicates."""
    two.at("10:20").declared("INC-1", "SEV-3")
    naming = two.at("10:30").implicated("INC-1", "A")
    two.at("10:40").resolved("INC-1")
    assert reasons(two, "A", "blockers") == {("implicated", naming)}


def test_a_version_that_a_rule_suspects_is_not_implicated(two):
    """Suspected: proposed, never more."""
    two.at("10:30").suspected("INC-1", "A", rule="released within two hours before impact")
    assert two.against("A") == set()


@pytest.mark.parametrize(
    "relief", [lambda s: s.cleared("A"), lambda s: s.verified_good("A"), lambda s: s.exonerated("INC-1", "A")]
)
def test_clearing_verification_and_exoneration_end_both(two, relief):
    """Marked bad, and implicated."""
    two.at("10:20").marked_bad("A")
    two.at("10:30").implicated("INC-1", "A")
    relief(two.at("10:40"))
    assert two.against("A") == set()


@pytest.mark.parametrize(
    "relief", [lambda s: s.cleared("A"), lambda s: s.verified_good("A"), lambda s: s.exonerated("INC-1", "A")]
)
def test_what_was_said_earlier_ends_neither(two, relief):
    """The later word stands."""
    relief(two.at("10:10"))
    two.at("10:20").marked_bad("A")
    two.at("10:30").implicated("INC-1", "A")
    assert two.against("A") == {"marked_bad", "implicated"}


def test_exoneration_ends_the_implication_of_its_own_incident(two):
    """It says nothing of another one."""
    two.at("10:20").implicated("INC-1", "A")
    two.at("10:30").implicated("INC-2", "A")
    two.at("10:40").exonerated("INC-1", "A")
    two.at("10:50")
    assert two.against("A") == {"implicated"}


def test_what_a_drill_implicates_is_not_implicated(two):
    """Drills are marked, never counted."""
    two.at("10:20").declared("INC-1", "SEV-1", mode="drill")
    two.at("10:30").implicated("INC-1", "A")
    assert two.against("A") == set()
    assert two.slot()["active_incidents"] == [{"id": "INC-1", "severity": "SEV-1", "drill": True}]


def test_a_verdict_is_of_one_slot(two):
    """Bad here is not bad everywhere: environments differ."""
    two.at("08:00", recorded="10:10").deployed("A", environment="staging")
    two.at("08:30", recorded="10:10").deployed("B", environment="staging")
    two.at("10:20").marked_bad("A", environment="staging")
    assert two.against("A") == set()
    assert two.against("A", environment="staging") == {"marked_bad"}


def test_a_verdict_is_of_the_artifact_that_was_known_then(story):
    """Marked bad and implicated alike: the tag means something else now."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("09:10").marked_bad("A")
    story.at("09:20").implicated("INC-1", "A")
    story.at("10:00").deployed("A", digest=digest("2"))
    story.at("11:00").deployed("B")
    told = {each["digest"]: {reason["code"] for reason in each["blockers"]} for each in story.candidates()}
    assert told == {digest("1"): {"marked_bad", "implicated"}, digest("2"): set()}


# Rule 4: suspicion


@pytest.mark.parametrize("severity", ["SEV-1", "SEV-2"])
def test_what_is_live_under_a_grave_incident_is_suspect(two, severity):
    """So the current version is not known good, and the one before is."""
    assert two.good(as_of="10:30") == "B"
    two.at("10:30").declared("INC-1", severity)
    assert two.good() == "A"
    assert two.target() == "A"


def test_a_sev_3_makes_nothing_suspect(two):
    """No rollback; fix in the next release."""
    two.at("10:30").declared("INC-1", "SEV-3")
    assert two.good() == "B"


def test_suspicion_follows_the_severity(two):
    """Raised to SEV-1 it begins; lowered to SEV-3 it ends for what is still live."""
    two.at("10:30").declared("INC-1", "SEV-3")
    two.at("10:40").severity_changed("INC-1", "SEV-3", "SEV-1")
    assert two.good() == "A"
    two.at("10:50").severity_changed("INC-1", "SEV-1", "SEV-3")
    assert two.good() == "B"


@pytest.mark.parametrize("ending", ["resolved", "closed", "incident_cancelled"])
def test_suspicion_of_what_is_still_live_ends_with_the_incident(two, ending):
    """It lived through it."""
    two.at("10:30").declared("INC-1", "SEV-1")
    getattr(two.at("11:00"), ending)("INC-1")
    assert two.good() == "B"


def test_a_mitigated_incident_is_still_one(two):
    """Active until resolved."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at("10:40").mitigated("INC-1")
    assert two.good() == "A"


def test_a_drill_makes_nothing_suspect(two):
    """It is marked among the active ones, and counts for nothing."""
    two.at("10:30").declared("INC-1", "SEV-1", mode="drill")
    assert two.good() == "B"


def test_planned_work_makes_nothing_suspect_until_it_is_declared_to_be_more(two):
    """Maintenance is its own kind, whatever severity it was given; but that it is some, only a person says."""
    two.at("10:29").detected("INC-1", "SEV-1", kind="maintenance")
    assert two.good() == "A"
    two.at("10:30").declared("INC-1", "SEV-1", kind="maintenance")
    assert two.good() == "B"
    two.at("10:40").declared("INC-1", "SEV-1", kind="outage")
    assert two.good() == "A"


def test_what_turns_out_to_be_planned_work_leaves_nothing_suspect(two):
    """Also a version that was replaced while it was taken for an outage."""
    two.at("10:29").declared("INC-1", "SEV-1", kind="outage")
    two.at("10:35").deployed("C")
    assert "suspect" in two.against("B")
    two.at("10:40").declared("INC-1", "SEV-1", kind="maintenance")
    assert two.against("B") == set()


def test_what_a_person_implicates_during_planned_work_is_implicated(two):
    """It is about a real version; only what is said in a drill is not meant."""
    two.at("10:20").declared("INC-1", "SEV-1", kind="maintenance")
    two.at("10:30").implicated("INC-1", "A")
    assert two.against("A") == {"implicated"}


def test_an_incident_elsewhere_makes_nothing_suspect_here(two):
    """Until this slot is affected."""
    two.at("10:30").declared("INC-1", "SEV-1", affected=[API])
    assert two.good() == "B"
    two.at("10:40").affected_changed("INC-1", add=[WEB])
    assert two.good() == "A"
    two.at("10:50").affected_changed("INC-1", remove=[WEB])
    assert two.good() == "B"


@pytest.mark.parametrize("severity", ["SEV-1", "SEV-2"])
def test_a_detection_that_suggests_as_much_counts_for_a_day_while_nobody_declares(two, severity):
    """Less than 24 hours ago."""
    two.at("10:30").detected("INC-1", severity)
    assert two.good() == "A"
    two.at("+1d 10:30")
    assert two.good(as_of="+1d 10:29") == "A"
    assert two.good() == "B"
    assert two.slot()["active_incidents"] == []


@pytest.mark.parametrize("severity", ["SEV-3", None])
def test_a_detection_that_suggests_less_does_not_count(two, severity):
    """Monitors flap."""
    two.at("10:30").detected("INC-1", severity)
    assert two.good() == "B"


@pytest.mark.parametrize("step", ["acknowledged", "mitigated"])
def test_a_detection_that_is_acknowledged_or_mitigated_still_counts(two, step):
    """It was not declared, and is not over."""
    two.at("10:30").detected("INC-1", "SEV-1")
    getattr(two.at("10:40"), step)("INC-1")
    assert two.good() == "A"


def test_a_detection_that_is_declared_counts_as_declared(two):
    """A person said SEV-3."""
    two.at("10:30").detected("INC-1", "SEV-1")
    two.at("10:40").declared("INC-1", "SEV-3")
    assert two.good() == "B"


def test_a_version_that_went_live_since_the_detection_is_suspect(two):
    """Live at detection, at declaration, or since."""
    two.at("10:10").detected("INC-1", "SEV-3")
    two.at("10:20").deployed("C")
    two.at("10:30").deployed("D")
    two.at("10:40").declared("INC-1", "SEV-1")
    assert two.against("B") == {"suspect"}
    assert two.against("C") == {"suspect"}
    assert two.against("A") == set()


@pytest.mark.parametrize("start, suspect", [("09:50", set()), ("09:49:59", {"suspect"}), ("09:58", set())])
def test_a_version_live_for_more_than_ten_minutes_after_the_first_impact_is_suspect(two, start, suspect):
    """Estimates are imprecise: two minutes, and ten, are not to blame."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at(start, recorded="10:31").impact_started("INC-1")
    assert two.against("A") == suspect


def test_the_latest_recorded_start_of_a_window_counts(two):
    """And of several windows the first."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at("09:10", recorded="10:31").impact_started("INC-1", window="checkout")
    assert two.against("A") == {"suspect"}
    two.at("09:59", recorded="10:32").impact_started("INC-1", window="checkout")
    assert two.against("A") == set()
    two.at("09:20", recorded="10:33").impact_started("INC-1", window="login")
    assert two.against("A") == {"suspect"}


def test_a_version_that_was_replaced_while_suspect_stays_so(two):
    """With the position of its end; the fix that followed is not suspect any more."""
    two.at("10:30").declared("INC-1", "SEV-1")
    fix = two.at("10:40").deployed("C")
    two.at("11:00").resolved("INC-1")
    assert reasons(two, "B", "blockers") == {("suspect", fix)}
    assert two.good() == "C"


def test_a_version_that_was_replaced_after_the_incident_does_not(two):
    """It lived through it, and was suspect no more."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at("10:40").resolved("INC-1")
    two.at("11:00").deployed("C")
    assert two.against("B") == set()


def test_a_version_that_was_replaced_under_a_detection_stays_suspect_when_that_is_forgotten(two):
    """The pipeline reacted before a person did."""
    two.at("10:30").detected("INC-1", "SEV-1")
    two.at("10:40").deployed("C")
    two.at("+2d 10:00")
    assert two.against("B") == {"suspect"}
    assert two.good() == "C"


@pytest.mark.parametrize(
    "restores",
    [
        lambda s: s.at("10:40").decided("A"),
        lambda s: s.at("10:40").rolled_back("A"),
        lambda s: s.at("10:40").deployed("A"),
    ],
    ids=["decided for", "restored by rollback", "restored by a return"],
)
def test_what_a_rollback_since_then_was_decided_for_or_restored_is_excepted(two, restores):
    """A was live for long under the impact, and people chose it."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at("09:10", recorded="10:31").impact_started("INC-1")
    assert two.good() is None
    restores(two)
    two.at("10:55")
    assert two.good() == "A"


def test_a_decision_that_was_cancelled_excepts_nothing(two):
    """It was not decided for after all."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at("09:10", recorded="10:31").impact_started("INC-1")
    two.at("10:40").decided("A", "r1")
    two.at("10:41").rollback_cancelled("r1")
    assert two.good() is None


def test_a_rollback_before_the_incident_excepts_nothing(story):
    """A was restored, and then it began."""
    story.at("08:00").deployed("Z")
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("09:55").decided("A")
    story.at("10:00").rolled_back("A")
    story.at("11:00").declared("INC-1", "SEV-1")
    assert story.good() == "Z"


@pytest.mark.parametrize(
    "relief",
    [
        lambda s: s.cause_elsewhere("INC-1"),
        lambda s: s.exonerated("INC-1", "B"),
        lambda s: s.cleared("B"),
        lambda s: s.verified_good("B"),
    ],
    ids=["cause elsewhere", "exonerated", "cleared", "verified"],
)
def test_suspicion_ends_by_a_persons_word(two, relief):
    """While it lasts, and for what was replaced under it."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at("10:40").deployed("C")
    two.at("10:45").resolved("INC-1")
    assert two.against("B") == {"suspect"}
    relief(two.at("10:50"))
    assert two.against("B") == set()


def test_a_word_from_before_the_incident_does_not_end_suspicion(two):
    """Verified at ten past ten, and then it broke."""
    two.at("10:10").verified_good("B")
    two.at("10:30").declared("INC-1", "SEV-1")
    assert two.good() == "A"


def test_exonerating_one_version_says_nothing_of_another(two):
    """B is cleared of it, and C is not."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at("10:40").deployed("C")
    two.at("10:50").exonerated("INC-1", "B")
    two.at("11:10")
    assert two.good() == "B"


def test_each_incident_suspects_for_itself(two):
    """One is explained, the other is not."""
    two.at("10:30").declared("INC-1", "SEV-1")
    two.at("10:31").declared("INC-2", "SEV-2")
    two.at("10:40").cause_elsewhere("INC-1")
    assert two.good() == "A"
    two.at("10:50").cause_elsewhere("INC-2")
    assert two.good() == "B"


# Rule 5: the artifact


@pytest.mark.parametrize(
    "event, code",
    [
        (lambda s: s.deleted("A"), "artifact_deleted"),
        (lambda s: s.quarantined("A"), "artifact_quarantined"),
        (lambda s: s.checked("A", False), "artifact_unavailable"),
    ],
)
def test_an_artifact_that_cannot_be_had_is_against_its_version_until_it_is_restored(two, event, code):
    """In every slot of the service."""
    position = event(two.at("10:30"))
    assert reasons(two, "A", "blockers") == {(code, position)}
    two.at("10:40").restored("A")
    assert two.against("A") == set()


def test_the_last_check_counts(two):
    """It was away for a while."""
    two.at("10:30").checked("A", False)
    two.at("10:40").checked("A", True)
    assert two.against("A") == set()
    assert "artifact_not_checked" not in two.warned("A")
    two.at("10:50").checked("A", False)
    assert two.against("A") == {"artifact_unavailable"}


def test_a_check_does_not_undo_a_quarantine(two):
    """That it is there does not make it safe."""
    two.at("10:30").quarantined("A")
    two.at("10:40").checked("A", True)
    assert two.against("A") == {"artifact_quarantined"}


def test_a_deletion_of_another_digest_is_none_of_ours(story):
    """The same tag, another artifact; one that names no digest is about all."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("10:00").deployed("B")
    story.at("10:10").deleted("A", digest=digest("2"))
    assert story.against("A") == set()
    story.at("10:20").deleted("A")
    assert story.against("A") == {"artifact_deleted"}


def test_a_current_version_whose_artifact_is_gone_is_not_known_good(two):
    """It runs, and could not be brought back."""
    two.at("10:30").deleted("B")
    assert two.good() == "A"


# Last known good


def test_last_known_good_is_the_known_good_version_whose_latest_live_period_began_last(story):
    """In calm times that is the current one."""
    for hour, version in enumerate("ABC", start=9):
        story.at(f"{hour:02}:00").deployed(version)
    assert story.good(as_of="11:05") == "B"
    story.at("11:30")
    assert story.good() == "C"
    assert story.slot()["last_known_good"]["last_live_until"] is None
    assert story.slot(as_of="11:05")["last_known_good"]["last_live_until"] == "2026-03-02T11:00:00Z"


def test_the_latest_period_counts_and_not_the_first(returned):
    """A was first before B, and began again after it."""
    returned.at("11:05").marked_bad("B")
    returned.at("12:00").deployed("C")
    assert returned.good() == "A"


def test_there_may_be_none(story):
    """Nothing lived long enough, and nobody verified."""
    story.at("10:00").deployed("A")
    assert story.slot()["last_known_good"] is None


# Candidates, their order, and the target


def test_candidates_are_what_was_ever_live_here_but_the_current_version(story):
    """Not what was only installed, approved, exposed, decided or observed."""
    story.at("08:00").deployed("A", released=True)
    story.at("08:10").deployed("B", released=False)
    story.at("08:20").approved("C")
    story.at("08:30").exposed("D", 50)
    story.at("08:40").decided("E")
    story.at("08:50").observed("F")
    story.at("09:00").deployed("G", released=True)
    assert story.ranked() == ["A"]


def test_what_has_nothing_against_it_comes_first(story):
    """Even when it is older, and even when it was first live after the current version."""
    for hour, version in enumerate("ABCD", start=8):
        story.at(f"{hour:02}:00").deployed(version)
    story.at("11:10").marked_bad("C")
    assert story.ranked() == ["B", "A", "C"]


def test_then_what_was_first_live_before_the_current_version(story):
    """B and D came after it, and were not rolled back from."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("C")
    story.at("10:00").deployed("D")
    story.at("11:00").deployed("C")
    story.at("11:30").cleared("D")
    assert story.ranked() == ["A", "D"]
    assert story.target() == "A"


def test_then_what_was_live_latest(story):
    """By its latest period: A ran again after B."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("09:30").cleared("B")
    story.at("10:00").deployed("A")
    story.at("10:30").cleared("B")
    story.at("11:00").deployed("C")
    assert story.ranked() == ["A", "B"]


def test_too_little_soak_is_a_warning_and_never_an_order(story):
    """Operators go back to the previous distinct version far more often than to the first soaked one."""
    story.at("08:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:03").deployed("C")
    assert story.ranked() == ["B", "A"]
    assert story.target() == "B"
    assert "too_little_soak" in story.warned("B")
    assert story.slot()["rollback_target"]["known_good"] is False


def test_with_nothing_current_every_candidate_counts_as_earlier(returned):
    """What is first is what was live latest and has nothing against it."""
    returned.at("12:00").removed()
    assert returned.ranked() == ["A", "B"]
    assert returned.target() == "A"


def test_the_target_has_nothing_against_it_and_was_first_live_before_the_current_version(story):
    """Null where there is none."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("10:00").deployed("C")
    story.at("10:10").marked_bad("B")
    assert story.target() == "A"
    story.at("10:20").marked_bad("A")
    assert story.slot()["rollback_target"] is None
    assert story.ranked() == ["B", "A"]


def test_the_target_tells_its_artifact_and_that_nothing_is_against_it(story):
    """As the reply for a slot has it."""
    story.at("08:00").deployed("A", digest=digest("1"))
    story.at("09:00").deployed("B")
    found = story.slot()["rollback_target"]
    assert (found["version"], found["digest"], found["blockers"]) == ("A", digest("1"), [])


# Target reached


def test_a_target_that_is_reached_is_told_and_no_other_is_proposed(story):
    """Not even the older one."""
    story.at("08:00").deployed("Z")
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").decided("A", "r1")
    assert story.slot()["target_reached"] is None
    assert story.target() == "A"
    story.at("10:20").rolled_back("A", "r1")
    assert story.slot()["target_reached"]["rollback_id"] == "r1"
    assert story.slot()["target_reached"]["version"] == "A"
    assert story.target() is None
    assert story.ranked() == ["Z", "B"]


def test_it_may_be_reached_by_a_deployment(two):
    """Whoever executed it."""
    two.at("10:10").decided("A", "r1")
    two.at("10:20").deployed("A")
    assert two.slot()["target_reached"]["rollback_id"] == "r1"


def test_a_rollback_that_nobody_decided_reaches_no_target(story):
    """There is no decision to say it of."""
    story.at("08:00").deployed("Z")
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:20").rolled_back("A")
    assert story.slot()["target_reached"] is None
    assert story.target() == "Z"


@pytest.mark.parametrize("judged", ["rollback_verified", "rollback_ineffective"])
def test_it_ends_when_the_rollback_is_judged(story, judged):
    """Ineffective: then the next older one is what to ask about."""
    story.at("08:00").deployed("Z")
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").decided("A", "r1")
    story.at("10:20").rolled_back("A", "r1")
    getattr(story.at("10:30"), judged)("r1")
    assert story.slot()["target_reached"] is None
    assert story.target() == "Z"


def test_a_second_decision_for_what_is_already_current_proposes_nothing_older(story):
    """Two responders decided the same, one of them late."""
    story.at("08:00").deployed("Z")
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:20").decided("A", "r1")
    story.at("10:21").rolled_back("A", "r1")
    story.at("10:22").decided("A", "r2")
    assert story.slot()["target_reached"]["rollback_id"] == "r2"
    assert story.target() is None


def test_the_target_stays_reached_while_the_incident_it_was_decided_for_is_active(story):
    """Also when that incident is not said to affect this slot."""
    story.at("08:00").deployed("Z")
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").declared("INC-1", "SEV-1", affected=[])
    story.at("10:20").decided("A", "r1", incident="INC-1")
    story.at("10:21").rolled_back("A", "r1")
    story.at("13:00")
    assert story.slot()["target_reached"]["rollback_id"] == "r1"
    assert story.target() is None
    story.at("13:10").resolved("INC-1")
    assert story.slot()["target_reached"] is None
    assert story.target() == "Z"


# Warnings


def test_an_irreversible_migration_since_its_last_live_period_is_a_warning(two):
    """Reversible and additive ones are none; nor is one from while it was live."""
    two.at("09:30", recorded="10:05").migrated("m0", "A", "irreversible")
    two.at("10:10").migrated("m1", "B", "additive")
    two.at("10:20").migrated("m2", "B", "reversible")
    assert "irreversible_migration" not in two.warned("A")
    position = two.at("10:30").migrated("m3", "B", "irreversible")
    assert ("irreversible_migration", position) in reasons(two, "A", "warnings")
    assert two.target() == "A"


def test_an_irreversible_migration_for_the_next_version_is_a_warning_though_it_came_before_its_release(two):
    """One migrates first: that is within the last live period of the version to go back to."""
    position = two.at("09:58", recorded="10:05").migrated("m1", "B", "irreversible")
    assert ("irreversible_migration", position) in reasons(two, "A", "warnings")


def test_an_irreversible_migration_is_forgotten_once_the_version_has_lived_with_it(returned):
    """It ran after the migration."""
    returned.at("10:30", recorded="11:05").migrated("m1", "B", "irreversible")
    returned.at("12:00").deployed("C")
    assert "irreversible_migration" not in returned.warned("A")
    assert "irreversible_migration" not in returned.warned("B")


def test_an_artifact_that_nobody_checked_for_24_hours_is_a_warning(two):
    """Never, or too long ago."""
    assert "artifact_not_checked" in two.warned("A")
    check = two.at("10:30").checked("A", True)
    assert "artifact_not_checked" not in two.warned("A")
    two.at("+1d 10:31")
    assert ("artifact_not_checked", check) in reasons(two, "A", "warnings")


def test_a_missing_approval_is_a_warning_where_the_environment_asks_for_one(two):
    """And nowhere else; a revoked one is missing."""
    assert "approval_missing" not in two.warned("A")
    two.at("10:10").configured(approval_required=True)
    assert "approval_missing" in two.warned("A")
    two.at("10:20").approved("A")
    assert "approval_missing" not in two.warned("A")
    two.at("10:30").approval_revoked("A")
    assert "approval_missing" in two.warned("A")


def test_an_approval_for_another_digest_is_a_warning(story):
    """It was given for something else."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("10:00").deployed("B")
    approval = story.at("10:10").approved("A", digest=digest("2"))
    assert ("approval_for_other_digest", approval) in reasons(story, "A", "warnings")
    story.at("10:20").approved("A", digest=digest("1"))
    assert "approval_for_other_digest" not in story.warned("A")


def test_a_version_last_live_over_30_days_ago_is_a_warning(two):
    """With the end of its period."""
    end = two.history()[-1]["position"]
    two.at("+30d 10:00")
    assert "last_live_over_30_days_ago" not in two.warned("A")
    two.at("+30d 10:01")
    assert ("last_live_over_30_days_ago", end) in reasons(two, "A", "warnings")


def test_a_frozen_environment_is_a_warning(two):
    """Nothing here stands in the way of recovery."""
    freeze = two.at("10:10").frozen()
    assert ("environment_frozen", freeze) in reasons(two, "A", "warnings")
    assert two.target() == "A"
    two.at("10:20").unfrozen()
    assert "environment_frozen" not in two.warned("A")


def test_a_version_that_was_never_live_where_the_environment_is_promoted_from_is_a_warning(two):
    """It went past a stage."""
    two.at("08:00", recorded="10:05").deployed("A", environment="staging")
    assert "never_live_in_promotes_from" not in two.warned("A")
    two.at("10:10").configured(promotes_from="staging")
    assert "never_live_in_promotes_from" not in two.warned("A")
    two.at("10:20").deployed("C")
    assert "never_live_in_promotes_from" in two.warned("B")


def test_a_verified_version_with_little_time_has_no_warning_of_soak(two):
    """A person stands for it."""
    two.at("10:02").verified_good("B")
    two.at("10:03").deployed("C")
    assert "too_little_soak" not in two.warned("B")


# What is told


def test_each_reason_says_what_it_is_why_and_by_which_position(two):
    """Confidence is facts, never one opaque score."""
    two.at("10:10").marked_bad("A")
    two.at("10:20").frozen()
    found = two.candidates()[0]
    for each in found["reasons"]:
        assert set(each) == {"code", "detail", "position"}
        assert each["code"] == each["code"].lower().replace(" ", "_")
        assert each["detail"]
    told = [each["code"] for each in found["reasons"]]
    assert {"soaked", "marked_bad", "environment_frozen"} <= set(told)
    assert {each["code"] for each in found["blockers"]} == {"marked_bad"}
    assert not any("score" in name or "confidence" in name for name in found)


def test_a_candidate_tells_how_long_it_was_live_and_when_first_and_last(returned):
    """In seconds, over all its periods."""
    returned.at("12:00").deployed("C")
    found = next(each for each in returned.candidates() if each["version"] == "A")
    assert found["live_seconds"] == 2 * 3600
    assert found["first_live"] == "2026-03-02T09:00:00Z"
    assert found["last_live_until"] == "2026-03-02T12:00:00Z"


def test_blockers_do_not_hide_each_other(two):
    """All that is against it is told."""
    two.at("10:10").marked_bad("A")
    two.at("10:20").implicated("INC-1", "A")
    two.at("10:30").deleted("A")
    two.at("10:40").quarantined("A")
    assert two.against("A") == {"marked_bad", "implicated", "artifact_deleted", "artifact_quarantined"}


# Active incidents


def test_active_incidents_are_those_declared_and_not_over_that_affect_the_slot(two):
    """Detected only, elsewhere, resolved, closed, cancelled or merged ones are not."""
    two.at("10:10").detected("INC-detected", "SEV-1")
    two.at("10:10").declared("INC-elsewhere", "SEV-1", affected=[API])
    for name in ("resolved", "closed", "incident_cancelled", "merged"):
        two.at("10:20").declared(f"INC-{name}", "SEV-1")
        getattr(two.at("10:30"), name)(f"INC-{name}", *(["INC-here"] if name == "merged" else []))
    two.at("10:40").declared("INC-here", "SEV-2")
    two.at("10:50").acknowledged("INC-here")
    assert two.slot()["active_incidents"] == [{"id": "INC-here", "severity": "SEV-2", "drill": False}]
