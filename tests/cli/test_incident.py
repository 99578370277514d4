"""`lastgood incident` and `lastgood timeline`: what a responder types, and what they see."""

import json
import re
from datetime import UTC, datetime

import click
import pytest

from api.cli import incident, incident_read, timeline, words
from api.cli.ci import Facts
from api.cli.incident_table import DEFAULTS, KINDS, SPECIAL, WAYS
from ledger.contract import Items, accept, members
from ledger.events import EVENTS
from ledger.values import Choice, Flag, Number
from tests.cli.faulty import Answer

RECEIPT = {
    "id": "1",
    "source": "s",
    "position": 7,
    "recordedtime": "t",
    "stream": "incident/INC-1",
    "revision": 1,
    "duplicate": False,
    "warnings": [],
}
OF_INCIDENTS = {
    topic for topic, cls in EVENTS.items() if cls.STREAM[0] == "incident" and not topic.startswith("postmortem.")
}


def made(lastgood, *words):
    """The event that a dry run shows."""
    shown = lastgood("incident", *words, "--dry-run")
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.stdout)


def data(lastgood, *words):
    return made(lastgood, *words)["data"]


def test_every_event_of_an_incident_has_its_verb():
    """The catalogue may grow; then so must the tables."""
    assert set(KINDS) == OF_INCIDENTS
    assert {way.topic for way in WAYS.values()} == OF_INCIDENTS


@pytest.mark.parametrize("topic", sorted(KINDS))
def test_the_table_says_what_the_catalogue_says(topic):
    """Members, required ones, choices, numbers, truths and lists, as the ledger has them."""
    known, kind = members(EVENTS[topic]), KINDS[topic]
    assert set(kind.required.split()) == {name for name, member in known.items() if member.required}
    assert set(kind.members()) == set(known)
    for wire, member in known.items():
        flag = incident.TABLE.flag(topic, wire)
        assert flag.multiple == (type(member.rule) is Items or wire == "labels"), wire
        assert getattr(flag.type, "choices", None) == getattr(member.rule, "words", None), wire
        if isinstance(member.rule, Number):
            assert (flag.type.min, flag.type.max) == (member.rule.least, member.rule.most), wire
        assert (flag.type is bool) == isinstance(member.rule, Flag), wire


@pytest.mark.parametrize("topic", sorted(KINDS))
def test_what_the_flags_make_is_accepted_by_the_contract(topic):
    """Every flag given at once."""
    slot = (("a@b", "production"),)
    examples = {"affected": slot, "add": slot, "remove": slot, "value": 1.5, "pinned": True, "alerts": ("f",)}
    examples |= {"evidence": (("graph", "https://x"),), "labels": (("team", "core"),)}
    given = {}
    for wire, member in members(EVENTS[topic]).items():
        given[wire] = examples.get(wire, member.rule.words[0] if isinstance(member.rule, Choice) else wire)
    found = incident.TABLE.data_of(topic, given, Facts(), lambda: "made")
    accept(EVENTS[topic], found)
    assert set(found) == set(KINDS[topic].members())


@pytest.mark.parametrize("topic, member", [*DEFAULTS, *SPECIAL])
def test_what_is_special_is_a_member_of_its_event(topic, member):
    """And a default is one that the event asks for."""
    assert member in members(EVENTS[topic])
    if (topic, member) in DEFAULTS:
        assert members(EVENTS[topic])[member].required


@pytest.mark.parametrize("name", sorted(WAYS))
def test_words_stand_for_members_and_help_says_which(lastgood, name):
    """In their order."""
    shown = lastgood("incident", *name.split(), "--help")
    assert shown.exit_code == 0
    words = WAYS[name].words.split()
    assert " ".join(f"[{word.upper()}]" for word in words) in " ".join(shown.stdout.split())
    assert set(words) <= set(members(EVENTS[WAYS[name].topic]))


@pytest.mark.parametrize("name", sorted(WAYS))
def test_the_events_own_word_does_the_same(lastgood, name):
    """`declared` as well as `declare`; a dash or an underline."""
    own = WAYS[name].topic.removeprefix("incident.").replace("mitigation.", "mitigation_")
    for spelling in (own, own.replace("_", "-")):
        assert f"Records {WAYS[name].topic}." in lastgood("incident", spelling, "--help").stdout


def test_declaring_takes_a_few_words_and_makes_an_id(lastgood):
    """A new one each time, that can be said on the phone; the kind may wait."""
    first = data(lastgood, "declare", "checkout fails", "--severity", "1", "--affected", "checkout@production")
    again = data(lastgood, "declare", "checkout fails", "--severity", "1")
    assert re.fullmatch(r"INC-\d{8}-[2-9a-z]{5}", first["incident"])
    assert first["incident"] != again["incident"]
    assert {**first, "incident": None} == {
        "incident": None,
        "title": "checkout fails",
        "severity": "SEV-1",
        "kind": "other",
        "affected": [{"service": "checkout", "environment": "production"}],
    }


@pytest.mark.parametrize(
    "words, expected",
    [
        (["INC-7", "checkout fails"], ("INC-7", "SEV-2", "checkout fails")),
        (["INC-7", "sev1", "checkout fails"], ("INC-7", "SEV-1", "checkout fails")),
        (["SEV-1", "INC-7", "checkout fails"], ("INC-7", "SEV-1", "checkout fails")),
        (["INC-7", "--title", "checkout fails"], ("INC-7", "SEV-2", "checkout fails")),
        (["INC-NIGHT", "sev-1", "checkout fails"], ("INC-NIGHT", "SEV-1", "checkout fails")),
        (["INC-NIGHT"], ("made", "SEV-2", "INC-NIGHT")),
        (["INC-7", "--incident", "INC-8"], ("INC-8", "SEV-2", "INC-7")),
        (["INC-7", "INC-8"], ("INC-7", "SEV-2", "INC-8")),
        (["INC-7 is back", "--incident", "INC-9"], ("INC-9", "SEV-2", "INC-7 is back")),
        (["500s-everywhere", "--incident", "INC-9"], ("INC-9", "SEV-2", "500s-everywhere")),
    ],
    ids=" ".join,
)
def test_what_looks_like_an_id_or_a_severity_is_one(lastgood, words, expected):
    """As with every other verb, where the id comes first; what a flag says goes before."""
    severity = [] if any(each.lower().startswith("sev") for each in words) else ["--severity", "2"]
    found = data(lastgood, "declare", *words, *severity)
    name = "made" if re.fullmatch(r"INC-\d{8}-[2-9a-z]{5}", found["incident"]) else found["incident"]
    assert (name, found["severity"], found["title"]) == expected


def test_words_that_are_not_quoted_are_no_id(lastgood):
    """Else a title would lose its first word."""
    shown = lastgood("incident", "declare", "checkout", "fails", "--severity", "1", "--dry-run")
    assert (shown.exit_code, "quote what belongs together" in shown.stderr) == (2, True)


def test_an_id_without_other_words_is_the_title_too_and_that_is_told(lastgood):
    """Declared under a made-up id, nobody would find it again."""
    shown = lastgood("incident", "declare", "INC-20261123-6gxgq", "--severity", "SEV-1", "--dry-run")
    found = json.loads(shown.stdout)["data"]
    assert (found["incident"], found["title"]) == ("INC-20261123-6gxgq",) * 2
    assert "INC-20261123-6gxgq is taken for the id" in shown.stderr


def test_what_a_machine_detects_has_a_severity_that_it_suggests(lastgood):
    found = data(lastgood, "detect", "SEV-2", "INC-7", "errors above 5 %")
    assert found == {"incident": "INC-7", "suggested_severity": "SEV-2", "title": "errors above 5 %"}


def test_a_severity_alone_says_nothing_of_what_is_wrong(lastgood):
    shown = lastgood("incident", "declare", "SEV-1", "--dry-run")
    assert (shown.exit_code, "missing --title" in shown.stderr) == (2, True)


def test_an_id_has_the_day():
    """So that a list of them reads by itself."""
    assert incident.new_id(datetime(2026, 11, 22, tzinfo=UTC)).startswith("INC-20261122-")


def test_ids_of_one_day_differ():
    """Ten thousand, of which by chance about two may be alike."""
    day = datetime(2026, 11, 22, tzinfo=UTC)
    assert len({incident.new_id(day) for _ in range(10_000)}) > 9_990


def test_the_id_is_told(lastgood, faulty):
    """In words, and beside the receipt."""
    faulty.answers = [Answer(201, RECEIPT)]
    call = ("incident", "declare", "down", "--severity", "SEV-1", "--url", faulty.url)
    assert re.search(r"recorded incident.declared at position 7, incident INC-\d{8}-\w{5}\n", lastgood(*call).stdout)
    found = json.loads(lastgood(*call, "--output", "json").stdout)
    assert found["incident"].startswith("INC-")
    assert {**found, "incident": None} == {**RECEIPT, "incident": None}


@pytest.mark.parametrize("text", ["SEV-2", "sev-2", "SEV2", "sev 2", "2"])
def test_a_severity_is_understood_as_people_write_it(lastgood, text):
    """And nothing else is."""
    assert data(lastgood, "declare", "down", "--severity", text)["severity"] == "SEV-2"
    assert lastgood("incident", "declare", "down", "--severity", "4", "--dry-run").exit_code == 2


@pytest.mark.parametrize("text", ["checkout", "@production", "checkout@"])
def test_a_slot_of_the_wrong_form_is_wrong_usage(lastgood, text):
    """It is SERVICE@ENVIRONMENT, and a service's name may hold the sign."""
    assert lastgood("incident", "declare", "x", "--severity", "1", "--affected", text, "--dry-run").exit_code == 2
    found = data(lastgood, "affected", "INC-1", "--add", "npm/@acme/web@production", "--remove", "a@b")
    assert found["add"] == [{"service": "npm/@acme/web", "environment": "production"}]
    assert found["remove"] == [{"service": "a", "environment": "b"}]


@pytest.mark.parametrize(
    "words, expected",
    [
        (["note", "INC-1", "it is the cache"], {"text": "it is the cache"}),
        (["note", "--incident", "INC-1", "it is the cache"], {"text": "it is the cache"}),
        (["note", "INC-1", "--text", "it is the cache", "--pinned"], {"text": "it is the cache", "pinned": True}),
        (["role", "assign", "INC-1", "commander", "ana", "--from", "ben"], {"role": "commander", "person": "ana", "from": "ben"}),
        (["impact", "started", "INC-1"], {"basis": "judgement"}),
        (["impact", "measured", "INC-1", "orders", "12.5", "orders"], {"measure": "orders", "value": 12.5, "unit": "orders"}),
        (["resolved", "INC-1", "rolled back"], {"reason": "rolled back"}),
        (["merge", "INC-1", "INC-2", "the same"], {"into": "INC-2", "reason": "the same"}),
        (["severity", "INC-1", "1", "worse", "--from", "2"], {"from": "SEV-2", "to": "SEV-1", "reason": "worse"}),
        (["mitigation", "INC-1", "restarted it"], {"kind": "other", "text": "restarted it"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_words_and_flags_say_the_same(lastgood, words, expected):
    """Whatever a flag gives, the words are what is left."""
    assert data(lastgood, *words) == {"incident": "INC-1", **expected}


def test_a_word_too_many_and_one_too_few_are_wrong_usage(lastgood):
    """What was not quoted is told back; what is missing is told by its flag."""
    many = lastgood("incident", "resolved", "INC-1", "rolled", "back", "--dry-run")
    assert (many.exit_code, "quote what belongs together" in many.stderr) == (2, True)
    few = lastgood("incident", "resolved", "INC-1", "--dry-run")
    assert (few.exit_code, "missing --reason" in few.stderr) == (2, True)
    wrong = lastgood("incident", "impact", "measured", "INC-1", "orders", "many", "orders", "--dry-run")
    assert wrong.exit_code == 2


def test_the_severity_that_a_change_starts_from_is_looked_up(lastgood, faulty):
    """One thing less to type."""
    faulty.answers = [Answer(200, {"severity": "SEV-3"}), Answer(201, RECEIPT)]
    shown = lastgood("incident", "severity", "a/b", "1", "all is down", "--url", faulty.url)
    assert shown.exit_code == 0
    assert faulty.asked[0].path == "/v1/incidents/a%2Fb"
    assert json.loads(faulty.asked[1].body)["data"] == {
        "incident": "a/b",
        "from": "SEV-3",
        "to": "SEV-1",
        "reason": "all is down",
    }


@pytest.mark.parametrize("answer", [Answer(404, {"detail": "nothing is recorded"}), Answer(200, {"severity": None})])
def test_where_no_severity_is_recorded_it_is_asked_for(lastgood, faulty, answer):
    """And with it nothing stands in the way."""
    faulty.answers = [answer]
    shown = lastgood("incident", "severity", "INC-1", "1", "worse", "--url", faulty.url)
    assert (shown.exit_code, "missing --from" in shown.stderr) == (2, True)


def test_a_severity_can_be_changed_without_the_ledger(lastgood, tmp_path):
    """Given what it starts from, it waits in the spool."""
    call = ("incident", "severity", "INC-1", "1", "worse", "--url", "http://127.0.0.1:1", "--timeout", "0.1")
    shown = lastgood(*call, "--spool", tmp_path / "spool")
    assert (shown.exit_code, "give --from" in shown.stderr) == (2, True)
    assert lastgood(*call, "--from", "2", "--spool", tmp_path / "spool").exit_code == 6


ROW = {
    "id": "INC-1",
    "title": "checkout fails",
    "kind": "outage",
    "mode": "real",
    "counted": True,
    "state": "mitigated",
    "active": True,
    "severity": "SEV-2",
    "suggested_severity": "SEV-1",
    "priority": "P1",
    "affected": [{"service": "checkout", "environment": "production"}],
    "commander": "ana",
    "began": "2026-11-22T20:50:00Z",
    "declared": "2026-11-22T21:00:00.123456Z",
    "ended": None,
    "merged_into": None,
}


def page(*items, next_=None):
    return Answer(200, {"items": list(items), "next": next_})


def test_incidents_are_listed_one_a_row(lastgood, faulty):
    """All filters reach the ledger; drills, suggestions and mergers are told apart."""
    others = [
        {**ROW, "id": "INC-2", "mode": "drill", "counted": False},
        {**ROW, "id": "INC-3", "severity": None, "state": "detected"},
        {**ROW, "id": "INC-4", "state": "merged", "merged_into": "INC-1"},
        {**ROW, "id": "INC-5", "kind": "maintenance", "counted": False},
    ]
    faulty.answers = [page(ROW, *others)]
    shown = lastgood(
        *("incident", "list", "--active", "--severity", "2", "--service", "checkout", "--environment", "production"),
        *("--mode", "real", "--state", "mitigated", "--known-at", "12", "--url", faulty.url),
    )
    assert shown.exit_code == 0
    for part in ("active=true", "severity=SEV-2", "service=checkout", "mode=real", "state=mitigated", "known_at=12"):
        assert part in faulty.asked[0].path
    lines = shown.stdout.splitlines()
    first = "INC-1 SEV-2 mitigated 2026-11-22T20:50:00Z ana checkout@production checkout fails"
    assert lines[1].split() == first.split()
    assert "mitigated (drill)" in lines[2]
    assert "SEV-1?" in lines[3]
    assert "merged into INC-1" in lines[4]
    assert "(not counted)" in lines[5]


def test_an_empty_list_says_so(lastgood, faulty):
    """It would look like a fault."""
    faulty.answers = [page()]
    shown = lastgood("incident", "list", "--url", faulty.url)
    assert (shown.exit_code, shown.stdout, "no incident" in shown.stderr) == (0, "", True)


def when(text, position=1):
    return {"time": text, "position": position}


def measure(seconds):
    return {"seconds": seconds, "from": {}, "to": {}}


WHOLE = {
    **ROW,
    "as_of": "2026-11-22T22:00:00Z",
    "known_at": 9,
    "severities": {
        "initial": "SEV-1",
        "peak": "SEV-1",
        "current": "SEV-2",
        "seconds": {"SEV-1": 600, "SEV-2": 7500, "SEV-3": 0},
        "changes": [{}, {}],
    },
    "steps": {
        "detected": None,
        "declared": when("2026-11-22T21:00:00Z"),
        "acknowledged": None,
        "mitigated": when("2026-11-22T21:30:00Z"),
        "resolved": when("2026-11-22T21:40:00Z"),
        "first_resolved": when("2026-11-22T21:35:00Z"),
        "closed": None,
    },
    "impact": {"seconds": 45, "ongoing": True, "windows": [], "measured": []},
    "roles": [
        {"role": "commander", "person": "ben", "since": "2026-11-22T20:00:00Z", "until": "2026-11-22T21:00:00Z"},
        {"role": "commander", "person": "ana", "since": "2026-11-22T21:00:00Z", "until": None},
    ],
    "versions": [
        {
            **ROW["affected"][0],
            "version": "1.5.0",
            "standing": "implicated",
            "relation": "caused",
            "proposed_by_rule": {"rule": "a_rule"},
        }
    ],
    "cause_elsewhere": {"reason": "the power went out"},
    "notes": {"count": 3, "pinned": [{**when("2026-11-22T21:10:00Z"), "text": "it is the cache"}]},
    "updates": [{"audience": "public", "text": "we are on it"}],
    "links": [
        {"incident": "INC-8", "relation": "caused_by", "to": True},
        {"incident": "INC-9", "relation": "follows", "to": False},
    ],
    "leads_to": None,
    "merged": ["INC-7"],
    "expected_response": {
        "severity": "SEV-2",
        "response": "roll back or switch the feature off",
        "seconds": 300,
        "status": "deviated",
        "deviations": [{"severity": "SEV-1", "chosen": "fix_forward", "reason": "the data was migrated"}],
    },
    "measures": {"time_to_declare": measure(-90), "time_to_resolve": measure(200000), "time_to_decide": measure(None)},
    "marks": [{"code": "contradictory_times", "detail": "resolved at A, declared at B", "position": 4}],
}


def test_an_incident_is_shown_under_labels(lastgood, faulty):
    """What is known, and nothing that is not."""
    faulty.answers = [Answer(200, WHOLE)]
    shown = lastgood("incident", "show", "INC-1", "--url", faulty.url)
    assert shown.exit_code == 0
    found = [tuple(re.split(r"\s{2,}", line.strip(), maxsplit=1)) for line in shown.stdout.splitlines()]
    assert found == [
        ("INC-1", "SEV-2, mitigated"),
        ("title", "checkout fails"),
        ("kind", "outage"),
        ("priority", "P1"),
        ("affected", "checkout@production"),
        ("role", "commander: ana, since 2026-11-22T21:00:00Z"),
        ("declared", "2026-11-22T21:00:00Z"),
        ("mitigated", "2026-11-22T21:30:00Z"),
        ("resolved", "2026-11-22T21:40:00Z"),
        ("first resolved", "2026-11-22T21:35:00Z"),
        ("customer impact", "45 s, and goes on"),
        ("time to declare", "-1 min"),
        ("time to resolve", "2 days"),
        ("severity", "first SEV-1, at worst SEV-1; SEV-1 for 10 min, SEV-2 for 2 h 5 min"),
        ("expected", "roll back or switch the feature off (another choice was made, 5 min)"),
        ("deviation", "fix forward at SEV-1: the data was migrated"),
        ("version", "1.5.0 of checkout@production implicated caused (rule a_rule)"),
        ("not a deployment", "the power went out"),
        ("pinned", "2026-11-22T21:10:00Z it is the cache"),
        ("told", "public: we are on it"),
        ("linked", "caused_by INC-8"),
        ("linked", "INC-9 follows this"),
        ("merged into it", "INC-7"),
        ("beware", "contradictory_times: resolved at A, declared at B"),
    ]


def test_a_merged_incident_leads_to_the_one_it_went_into(lastgood, faulty):
    """An old link still works, and says so; JSON is the ledger's own answer."""
    merged = {**WHOLE, "id": "INC-0", "state": "merged", "merged_into": "INC-1", "leads_to": ROW}
    faulty.answers = [Answer(200, merged), Answer(200, WHOLE)]
    shown = lastgood("incident", "show", "INC-0", "--url", faulty.url)
    assert "INC-0 was merged into INC-1" in shown.stderr
    assert shown.stdout.startswith("INC-1 ")
    faulty.answers = [Answer(200, merged)]
    assert json.loads(lastgood("incident", "show", "INC-0", "--url", faulty.url, "--output", "json").stdout) == merged


@pytest.mark.parametrize(
    "seconds, said",
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "119 min"), (7200, "2 h"), (7260, "2 h 1 min"), (172800, "2 days"), (-7260, "-2 h 1 min")],
)  # fmt: skip
def test_a_span_is_said_as_people_do(seconds, said):
    """With its sign where times contradict each other."""
    assert incident_read.span(seconds) == said


def entry(time, summary="a note", who="ana", position=1, **more):
    return {
        "type": "incident.note_added",
        "time": f"2026-11-22T{time}Z",
        "position": position,
        "summary": summary,
        "lag": None,
        "claimed_time": None,
        "submitter": {"id": f"id-{who}", "name": who, "kind": "human"},
        "decided_by": None,
        "roles": [],
        "key": False,
        "pinned": False,
        "data": {},
        "corrections": [],
        "retracted": None,
        **more,
    }


def told(*items, next_=None, **more):
    frame = {"incident": "INC-1", "leads_to": None, "as_of": "t", "known_at": 1}
    return Answer(200, {**frame, **more, "items": list(items), "next": next_})


def test_a_timeline_is_one_entry_a_line_with_all_that_must_be_said(lastgood, faulty):
    """How late, what was claimed, what was said before, whether it counts, who passed it on, in which role."""
    amended = {"position": 30, "reason": "misread", "decided_by": "ana", "recordedtime": "t"}
    faulty.answers = [
        told(
            entry(
                "21:00:00.5", "declared", key=True, decided_by="ben", roles=["commander"], lag="recorded 31 min later"
            ),
            entry("21:01:00", "pinned note", position=2, pinned=True, claimed_time="2026-11-22T22:00:00Z"),
            entry(
                "21:02:00", "resolved", position=3, corrections=[{"field": "time", "was": "x", "now": "y", **amended}]
            ),
            next_="more",
        ),
        told(entry("21:03:00", "gone", position=4, retracted=amended)),
    ]
    shown = lastgood("timeline", "a/b", "--url", faulty.url, "--as-of", "2026-11-22T22:00:00Z")
    assert shown.exit_code == 0
    assert faulty.asked[0].path.startswith("/v1/incidents/a%2Fb/timeline?as_of=")
    assert "after=more" in faulty.asked[1].path
    rows = [re.split(r"\s{2,}", line.strip()) for line in shown.stdout.splitlines()[1:]]
    assert rows == [
        ["*", "2026-11-22T21:00:00Z", "ben (commander) via ana", "declared [recorded 31 min later]", "1"],
        ["+", "2026-11-22T21:01:00Z", "ana", "pinned note [claims 2026-11-22T22:00:00Z]", "2"],
        ["2026-11-22T21:02:00Z", "ana", "resolved [time was x, corrected at 30: misread]", "3"],
        ["2026-11-22T21:03:00Z", "ana", "gone [retracted at 30: misread]", "4"],
    ]


def test_a_timeline_as_json_is_all_pages_in_one(lastgood, faulty):
    """The ledger's own entries."""
    faulty.answers = [told(entry("21:00:00"), next_="more"), told(entry("21:01:00"))]
    found = json.loads(lastgood("timeline", "INC-1", "--url", faulty.url, "--output", "json").stdout)
    assert (len(found["items"]), found["next"], found["incident"]) == (2, None, "INC-1")


def test_the_timeline_of_a_merged_incident_is_that_of_the_one_it_went_into(lastgood, faulty):
    """And says so."""
    faulty.answers = [
        told(entry("20:00:00", "old"), incident="INC-0", leads_to="INC-1"),
        told(entry("21:00:00", "new")),
    ]
    shown = lastgood("timeline", "INC-0", "--url", faulty.url)
    assert "INC-0 was merged into INC-1" in shown.stderr
    assert "new" in shown.stdout
    assert "old" not in shown.stdout
    assert faulty.asked[1].path.startswith("/v1/incidents/INC-1/timeline")


def test_two_that_were_merged_into_each_other_come_to_an_end(lastgood, faulty):
    """One step is enough: the ledger says where it went in the end."""
    around = [told(entry("20:00:00"), incident=one, leads_to=other) for one, other in (("A", "B"), ("B", "A"))]
    faulty.answers = around
    assert lastgood("timeline", "A", "--url", faulty.url).exit_code == 0
    assert len(faulty.asked) == 2


def test_a_screen_says_each_day_once_and_what_is_late_beside_the_hour(lastgood, faulty, monkeypatch):
    """Short enough for a terminal; nothing is left out."""
    monkeypatch.setattr("api.cli.timeline.is_terminal", lambda: True)
    entries = [entry("21:00:00", "declared", lag="recorded 31 min later"), entry("21:01:00", "fixed", position=2)]
    faulty.answers = [told(*entries, {**entries[0], "time": "2026-11-23T08:00:00.5Z", "position": 3})]
    shown = lastgood("timeline", "INC-1", "--url", faulty.url)
    assert [line.split() for line in shown.stdout.splitlines()[1:]] == [
        ["2026-11-22"],
        ["21:00:00", "31", "min", "ana", "declared", "1"],
        ["21:01:00", "ana", "fixed", "2"],
        ["2026-11-23"],
        ["08:00:00", "31", "min", "ana", "declared", "3"],
    ]


def test_folding_puts_together_what_one_did_in_a_minute():
    """Others, other minutes, key moments and pins stay apart; nothing is left out."""
    alert = {"type": "alert.fired"}
    entries = [
        entry("21:00:01", "a", "monitor", 1, **alert),
        entry("21:00:02", "b", "ana", 2),
        entry("21:00:03", "c", "monitor", 3, **alert),
        entry("21:00:04", "d", "monitor", 4, type="alert.resolved"),
        entry("21:00:05", "declared", "ana", 5, key=True),
        entry("21:00:06", "e", "monitor", 6, **alert),
        entry("21:00:07", "pin", "monitor", 7, pinned=True),
        entry("21:01:00", "f", "monitor", 8, **alert),
        entry("21:01:01", "g", "monitor", 9, **alert),
    ]
    assert [(who, what, position) for _, _, _, who, what, position in timeline.fold(entries)] == [
        ("monitor", "2 x alert.fired, 1 x alert.resolved", "1..4"),
        ("ana", "b", "2"),
        ("ana", "declared", "5"),
        ("monitor", "e", "6"),
        ("monitor", "pin", "7"),
        ("monitor", "2 x alert.fired", "8..9"),
    ]


def test_an_alert_that_flaps_is_one_row_up_to_a_key_moment():
    """With how often and until when; a storm of many alerts stays one row a minute."""

    def alert(minute, position, name, kind="fired"):
        told = {"type": f"alert.{kind}", "data": {"fingerprint": name, "name": f"the {name}"}}
        return entry(f"21:{minute:02}:00", f"alert {kind}: {name}", "monitor", position, **told)

    flaps = [alert(minute, minute, "disk", ("fired", "resolved")[minute % 2]) for minute in range(1, 11)]
    storm = [alert(3, 100 + number, f"a{number}") for number in range(30)]
    entries = [*flaps[:3], *storm, *flaps[3:6], entry("21:06:30", "declared", "ana", 50, key=True), *flaps[6:]]
    assert [(time, what, position) for _, time, _, _, what, position in timeline.fold(entries)] == [
        ("2026-11-22T21:01:", "the disk: 3 x alert.resolved, 3 x alert.fired, until 21:06", "1..6"),
        ("2026-11-22T21:03:", "30 x alert.fired", "100..129"),
        ("2026-11-22T21:06:30Z", "declared", "50"),
        ("2026-11-22T21:07:", "the disk: 2 x alert.resolved, 2 x alert.fired, until 21:10", "7..10"),
    ]


@pytest.mark.parametrize("terminal, whole, lines", [(True, False, 1), (True, True, 60), (False, False, 60)])
def test_only_a_long_timeline_on_a_terminal_is_folded(lastgood, faulty, monkeypatch, terminal, whole, lines):
    """A pipe can be searched; --all shows each."""
    monkeypatch.setattr("api.cli.timeline.is_terminal", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "120")
    faulty.answers = [told(*(entry(f"21:00:{second:02}", f"note {second}", position=second) for second in range(60)))]
    shown = lastgood("timeline", "INC-1", "--url", faulty.url, *(["--all"] if whole else []))
    assert sum("ana" in line for line in shown.stdout.splitlines()) == lines
    assert ("--all shows each" in shown.stdout) == (terminal and not whole)


@pytest.mark.parametrize("call", [["incident", "list"], ["incident", "show", "INC-1"], ["timeline", "INC-1"]])
def test_out_of_reach_is_7(lastgood, call):
    """Nothing is spooled, as nothing is to be kept."""
    assert lastgood(*call, "--url", "http://127.0.0.1:1", "--timeout", "0.1").exit_code == 7


def test_the_verbs_need_no_server_to_explain_themselves(lastgood):
    """A group lists what it can do."""
    shown = lastgood("incident", "--help").stdout
    for word in ("declare", "severity", "role", "impact", "list", "show"):
        assert f"  {word} " in shown
    assert {"assign", "release"} <= set(lastgood("incident", "role", "--help").stdout.split())
    with pytest.raises(click.UsageError, match="too many words"):
        words.read(WAYS["acknowledge"], ("INC-1", "now"), {})
