"""What an audience may see of a report: names inside the house, roles outside, and to auditors all there is."""

import json
import re

import pytest

from ledger.contract import members
from ledger.events import EVENTS, Submitter
from ledger.values import Unfit
from projections.incident_timeline import data
from projections.report_writing import is_for_customers
from tests.dsl import event
from tests.projections.reporting import told

NAMES = {
    "person-ada": "Ada Byron",
    "u-7731": "Grace Murray",
    "pipeline-1": "Jenkins of Team Falcon",
    "relay-9": "Bridge to PagerDuty",
}
GRACE = Submitter("u-7731", "oidc", "human")
RELAY = Submitter("relay-9", "token", "machine")
CI = Submitter("pipeline-1", "workload", "machine", {"actor": "kattni", "repository": "acme/web"})

SHIFT = {"from": "2026-03-02T08:00:00Z", "to": "2026-03-02T20:00:00Z"}
TEXT = (
    "Grace Murray called hedwig, then @ada.byron; KATTNI's run was fine. margaret@example.org said so.\n\n"
    "* **Ada** knew, GRACE did not\n* see [Byron's notes](https://wiki.example/ada-byron)"
)


@pytest.fixture
def peopled(story):
    """Names in every member that may hold one, and in every text."""
    story.at("08:30").deployed("A", author="Margaret Hamilton <margaret@example.org>", by=CI)
    story.add("oncall.assigned", rota="first", person="hedwig", contact="+31 20 555 0100", services=["web"], **SHIFT)
    story.at("09:30").deployed("B", author="katherine.johnson")
    story.at("09:40").detected("INC-1", "SEV-1", discovered_by="Mrs Miggins", title="Ada Byron's checkout fails")
    story.at("09:45").declared("INC-1", "SEV-1", title="Ada Byron's checkout fails", reason="hedwig says so")
    assigned = {"incident": "INC-1", "briefing": "Ada is away"}
    story.at("09:46").add("incident.role_assigned", GRACE, role="commander", person="Grace Murray", **assigned)
    story.at("09:47").add("incident.role_assigned", GRACE, role="scribe", person="hedwig", **assigned)
    story.at("09:48").add("incident.note_added", incident="INC-1", text="root password is hunter2", pinned=True)
    note = story.at("09:49").add("incident.note_added", incident="INC-1", text="typo")
    story.at("09:50").corrected(note, "text", "second secret", reason="Ada mistyped", by=GRACE)
    story.at("09:51").add("incident.update_published", incident="INC-1", audience="customers", text="we are on it, Ada")
    story.at("09:52").add(
        "incident.update_published", incident="INC-1", audience="executives", text="it costs millions"
    )
    story.at("09:53").decided("A", "RB-1", incident="INC-1", decided_by="Ada Byron", reason="as Grace asked", by=RELAY)
    story.at("09:55").rolled_back("A", "RB-1", by=CI)
    story.at("09:58").add(
        "mitigation.applied",
        incident="INC-1",
        kind="restart",
        text="katherine restarted it",
        evidence=[{"label": "Ada's log", "url": "https://internal.example/log"}],
    )
    story.at("10:00").implicated("INC-1", "B", reason="by katherine.johnson", service="web", environment="production")
    story.at("10:10").resolved("INC-1", reason="Ada: done")
    story.at("11:00").add("postmortem.started", incident="INC-1", owner="emmy")
    story.add("postmortem.section_written", incident="INC-1", section="summary", text=TEXT)
    story.add("postmortem.section_written", incident="INC-1", section="emmy_thinks", text="hm")
    story.add("postmortem.cause_recorded", incident="INC-1", kind="root", statement="Emmy and Hedwig did not know")
    story.add(
        "postmortem.action_added",
        incident="INC-1",
        action_id="a-1",
        text="ask lise",
        kind="process",
        owner="lise",
        ticket="OPS-12",
    )
    story.add("incident.classified", incident="INC-1", regime="EU DORA", classification="major", criteria={"x": "Ada"})
    return story


def public(story, **more):
    return told(story, audience="public", name_of=NAMES.get, **more)


NEVER = (
    "ada byron grace murray hedwig katherine johnson margaret hamilton emmy lise miggins kattni person-ada u-7731 "
    "pipeline-1 relay-9 jenkins pagerduty falcon 555 hunter2 secret millions internal.example wiki.example/ada"
).split()


def test_no_name_known_to_the_incident_leaves_the_house(peopled):
    """Not in a member, not in a title, a reason, a text, a correction or an author's Markdown; no note, no contact."""
    text = json.dumps(public(peopled), ensure_ascii=False)
    found = {name for name in NEVER if re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text, re.IGNORECASE)}
    assert found == set()


def test_roles_stand_where_names_stood(peopled):
    """The role that somebody had in the incident; else what they did in it."""
    report = public(peopled)
    assert report["cover"]["commander"] == "commander"
    assert report["cover"]["owner"] == "owner of the postmortem"
    assert report["cover"]["title"] == "the responder's checkout fails"
    assert report["detection"]["discovered_by"] == "reporter"
    assert report["actions"][0]["owner"] == "owner of the action"
    assert [each["person"] for each in report["response"]["people"]] == ["responder", "commander", "scribe"]
    assert report["summary"]["text"].splitlines()[0] == (
        "the commander called the scribe, then @the responder; the responder's run was fine. the author said so."
    )
    assert report["sections"]["summary"]["text"] == report["summary"]["text"]
    (decided,) = [each for each in report["decisions"] if each["type"] == "rollback.decided"]
    assert (decided["by"], decided["reason"]) == ("responder", "as the commander asked")


def test_a_name_that_is_whole_only_on_the_page_is_hidden(peopled):
    """Authors' Markdown is judged as it is read: in sections, in the summary and in what customers are told."""
    for section in ("summary", "customer_message", "lessons"):
        peopled.add("postmortem.section_written", incident="INC-1", section=section, text="so **Gra**ce said")
    report = public(peopled)
    assert report["summary"]["text"].strip() == "so the commander said"
    assert report["customer_message"]["text"] == report["sections"]["lessons"]["text"] == report["summary"]["text"]
    assert told(peopled, audience="internal")["summary"]["text"] == "so **Gra**ce said"


def test_who_was_on_call_is_hidden_though_the_shift_began_before_the_story(peopled):
    """And how to reach them; of a rota that covers an affected service, and of a shift that reaches into the story."""
    shift = {"from": "2026-03-01T20:00:00Z", "to": "2026-03-02T09:00:00Z"}
    over = {"from": "2026-02-20T20:00:00Z", "to": "2026-02-21T09:00:00Z"}
    tomas = {"person": "Tom\u00e1\u0161 Nov\u00e1k", "contact": "tel:+420777123456"}
    peopled.at("07:00").add("oncall.assigned", rota="first", services=["web"], **tomas, **shift)
    peopled.add("oncall.assigned", rota="first", services=["web"], person="Zdenka", **over)
    peopled.add("oncall.assigned", rota="other", services=["mail"], person="Bohumil", **shift)
    text = "Novak (+420777123456) called Zdenka and Bohumil"
    peopled.at("11:30").add("postmortem.section_written", incident="INC-1", section="lessons", text=text)
    assert public(peopled)["sections"]["lessons"]["text"] == (
        "the on-call person (+the contact) called Zdenka and Bohumil"
    )


@pytest.mark.parametrize(
    "owner, instead",
    [
        ("Olga Tokar <olga@corp.example>", "the owner saw the risk"),
        ("u-55", "the owner saw the risk"),
        ("Risk and Fraud", "Olga saw the risk"),
    ],
)
def test_the_owner_of_a_slot_is_hidden_where_it_is_a_person(story, owner, instead):
    """By an address or by an account; any other owner is a team, and its words are words."""
    story.at("08:00").add("environment.configured", environment="production", service="web", owner=owner)
    story.at("10:00").declared("INC-1", "SEV-1", reason="Olga saw the risk")
    (decided,) = told(story, audience="public", name_of={"u-55": "Olga Tokar"}.get)["decisions"]
    assert decided["reason"] == instead


def test_everybody_whom_the_ledger_knows_is_hidden(story):
    """Also who had nothing to do with the incident; a role in it goes before."""
    story.at("10:00").declared("INC-1", "SEV-1", decided_by="Ada Byron", reason="as Olga and Ada said, and p-77")
    report = told(story, audience="public", house=["Olga Tokar", "p-77", "Ada Byron"])
    assert report["decisions"][0]["reason"] == "as the colleague and the responder said, and the colleague"


def test_who_is_called_by_a_word_of_the_trade_is_a_role_where_a_name_is_asked_for(story):
    """A token by the name `ci`: nobody's name in a text, and all the same not told."""
    story.at("09:30").deployed("A", by=CI)
    story.at("10:00").declared("INC-1", "SEV-1", decided_by="on-call", reason="ci was green, said on-call")
    report = told(story, audience="public", name_of={"pipeline-1": "ci"}.get)
    assert [each["submitter"]["name"] for each in report["timeline"]] == ["automation", "responder"]
    assert [(each["by"], each["reason"]) for each in report["decisions"]] == [
        ("responder", "ci was green, said on-call"),
    ]


def test_what_was_not_published_stays_in_the_house(peopled):
    """Notes, shifts, updates for others than customers, findings, reports to authorities, and where things came from."""
    report = public(peopled)
    types = [each["type"] for each in report["timeline"]]
    assert not {each for each in types if each.startswith(("incident.note", "oncall."))}
    assert types.count("incident.update_published") == 1
    assert report["customer_message"]["text"] == "we are on it, the responder"
    assert (report["findings"], report["reporting"], report["quality"]["corrections"]) == ([], [], [])
    assert {(each["source"], each["submitter"]["id"]) for each in report["timeline"]} == {(None, None)}
    assert {str(each["data"]) + str(each["evidence"]) for each in report["timeline"]} == {"{}[]"}


def test_what_customers_were_told_is_never_an_update_for_others(peopled):
    """Neither in the timeline nor as the message to customers."""
    peopled.at("10:05").add(
        "incident.update_published",
        incident="INC-1",
        audience="external partners under NDA",
        text="the contract is void",
    )
    for audience in ("public", "internal"):
        report = told(peopled, audience=audience)
        assert report["customer_message"]["text"].startswith("we are on it")
    assert "void" not in json.dumps(public(peopled))


def test_the_record_can_be_checked_from_outside_all_the_same(peopled):
    """Positions, times and leaf hashes of all events are in the appendix, also of those that are not told of."""
    assert public(peopled)["appendix"] == told(peopled, name_of=NAMES.get)["appendix"]


def test_inside_the_house_names_are_shown_and_ids_are_not(peopled):
    """An id says nothing to people; where there is no name, it is all there is."""
    report = told(peopled, audience="internal", name_of=NAMES.get)
    assert report["cover"]["commander"] == "Grace Murray"
    assert {each["submitter"]["id"] for each in report["timeline"]} == {None}
    assert {each["submitter"]["name"] for each in report["timeline"]} == set(NAMES.values())
    assert report["cover"]["title"] == "Ada Byron's checkout fails"
    without = told(peopled, audience="internal")
    assert "person-ada" in {each["submitter"]["name"] for each in without["timeline"]}


def test_auditors_see_all_there_is(peopled):
    """Ids, names, sources, notes and what was corrected."""
    report = told(peopled, audience="auditor", name_of=NAMES.get)
    assert {each["submitter"]["id"] for each in report["timeline"]} == set(NAMES)
    assert [each["was"] for each in report["quality"]["corrections"]] == ["typo"]
    assert report["timeline"][0]["source"] == "story"


def test_the_figures_are_the_same_for_everybody(peopled):
    """An audience changes words, never numbers."""
    one, other = told(peopled, audience="auditor"), public(peopled)
    for name in ("measures", "lifecycle", "impact", "positions", "moment", "definitions", "format", "zone", "span"):
        assert one[name] == other[name]


@pytest.mark.parametrize(
    "audience, may",
    [
        ("customers", True),
        ("Status page", True),
        ("all users", True),
        ("everyone", True),
        ("external", True),
        ("enterprise_customers", True),
        ("internal", False),
        ("executives", False),
        ("external partners under NDA", False),
        ("internal users", False),
        ("customer support leads (internal)", False),
        ("customers-only: staff", False),
        ("not for customers", False),
        ("non-public", False),
        ("\uff49nternal users", False),
        ("everyone in payments", False),
        ("external counsel", False),
        ("all hands", False),
        ("", False),
    ],
)
def test_an_update_is_public_where_its_audience_says_so(audience, may):
    """Any other is taken for inward: who means the public can say it. One word that says "not everybody" is enough."""
    assert is_for_customers(audience) is may


def test_redacted_words_name_nobody(story):
    """What stands where a name was is no name: it would turn up everywhere else."""
    declared = story.at("09:45").declared("INC-1", "SEV-1", decided_by="Ada Byron", title="broken")
    story.redacted(declared, "decided_by", "title")
    report = public(story)
    assert report["cover"]["title"] == "[redacted]"
    assert report["quality"]["redacted"] == [declared]


# Every member of every event

NAME = "Zebulon Quillfeather"
HOUSE = frozenset("service environment incident into other fingerprint rota".split())
"""Members by which an event comes into the story at all."""


TOPICS = sorted(
    topic
    for topic, cls in EVENTS.items()
    if cls.STREAM[0] in ("incident", "slot", "alert") and topic != "service.observed"
)
"""Types of event that a story tells of."""


def full_of(cls):
    """Values with a name in them for every member that takes a text."""
    found = {}
    for wire, member in members(cls).items():
        for text in (NAME, f"as {NAME} says"):
            try:
                if wire not in HOUSE | cls.LEDGER_SETS:
                    member.rule.accept(text)
                    found[wire] = text
            except Unfit:
                continue
    return found


@pytest.mark.parametrize("topic", TOPICS)
def test_a_name_in_any_member_of_any_event_is_hidden(story, topic):
    """Told by somebody of that name, in an incident that they command."""
    story.at("10:00").declared("INC-1", "SEV-1", alerts=["f-1"])
    story.add("incident.role_assigned", incident="INC-1", role="commander", person=NAME)
    usual = {"incident": "INC-1", "fingerprint": "f-1", "service": "web", "environment": "production"}
    known = members(EVENTS[topic])
    given = {name: value for name, value in usual.items() if name in known} | full_of(EVENTS[topic])
    required = event(topic)
    filled = {name: data(required)[name] for name, member in known.items() if member.required and name not in given}
    story.at("10:05").add(topic, **filled | given)
    story.at("10:30").resolved("INC-1")
    report = public(story)
    assert report["positions"]["count"] == 4
    text = json.dumps(report, ensure_ascii=False).casefold()
    assert "zebulon" not in text
    assert "quillfeather" not in text
    assert "zebulon" in json.dumps(told(story, name_of=NAMES.get)).casefold()
