"""`lastgood import oncall`: only the difference is recorded, and an import can be run again at any time."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cli.rota_changes import REDACTED, changes
from api.oncall_calendar import Shift
from tests.cli.faulty import Answer

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
EMPTY = {"items": [], "released": []}


def stamp(moment):
    return f"{moment:%Y%m%dT%H%M%SZ}"


def calendar(*shifts):
    """A calendar of (person, hours from now when it begins, hours when it ends)."""
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{person}-{start}\r\nDTSTART:{stamp(NOW + timedelta(hours=start))}\r\n"
        f"DTEND:{stamp(NOW + timedelta(hours=end))}\r\nSUMMARY:{person}\r\nEND:VEVENT\r\n"
        for person, start, end in shifts
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n".encode()


@pytest.fixture
def take(lastgood, server, monkeypatch):
    """Imports a calendar into a rota of this test alone, and gives what is told."""
    monkeypatch.setenv("LASTGOOD_URL", server.url)
    monkeypatch.setenv("LASTGOOD_TOKEN", server.tokens["pipeline"])
    rota = f"rota-{uuid4().hex[:8]}"

    def call(content, *more):
        shown = lastgood("import", "oncall", "-", "--rota", rota, *more, "--output", "json", stdin=content)
        assert shown.exit_code == 0, shown.stderr
        told = json.loads(shown.stdout)
        return told["assigned"], told["released"], told["unchanged"]

    call.rota = rota
    return call


@pytest.fixture
def who(server, take):
    """Who is on call in the rota, so many hours from now, once all that was recorded is counted in."""
    client = server.client("auditor")

    def ask(hours=0.5, **query):
        head = client.get("/v1/events", limit=1000, type="oncall.assigned").json()["items"]
        later = client.get("/v1/events", limit=1000, type="oncall.released").json()["items"]
        last = max((each["sequence"] for each in [*head, *later]), default=0)
        at = (NOW + timedelta(hours=hours)).isoformat()
        answer = client.get("/v1/oncall", rota=take.rota, at=at, at_least=last, **query).json()
        return [each["person"] for each in answer["items"]]

    return ask


def test_a_calendar_becomes_a_rota_and_taking_it_in_again_changes_nothing(take, who):
    """So that it can run every hour."""
    content = calendar(("Ana", -2, 10), ("Ben", 10, 20))
    assert take(content) == (2, 0, 0)
    assert who() == ["Ana"]
    assert who(15) == ["Ben"]
    assert take(content) == (0, 0, 2)
    assert take(content) == (0, 0, 2)


def test_a_shift_that_is_gone_from_the_calendar_is_taken_back(take, who):
    """And one that comes back is on again."""
    both, one = calendar(("Ana", -2, 10), ("Ben", 10, 20)), calendar(("Ana", -2, 10))
    take(both)
    assert take(one) == (0, 1, 1)
    assert who(15) == [None]
    assert take(both) == (1, 0, 1)
    assert who(15) == ["Ben"]
    assert take(both) == (0, 0, 2)


def test_a_shift_that_changes_hands_is_one_taken_back_and_one_assigned(take, who):
    """The new one has it from then on."""
    take(calendar(("Ana", -2, 10)))
    assert take(calendar(("Chi", -2, 10))) == (1, 1, 0)
    assert who() == ["Chi"]


def test_an_override_by_hand_is_left_alone(take, who, lastgood):
    """What others recorded is none of the calendar's business."""
    content = calendar(("Ana", -2, 10))
    take(content)
    times = ("--from", (NOW - timedelta(hours=1)).isoformat(), "--to", (NOW + timedelta(hours=3)).isoformat())
    assert lastgood("oncall", "assign", "--rota", take.rota, "--person", "Zoe", *times).exit_code == 0
    assert take(content) == (0, 0, 1)
    assert who() == ["Zoe"]
    assert who(5) == ["Ana"]


def test_shifts_that_are_over_are_left_alone(take, who):
    """What was, was: a calendar that forgets the past takes nothing back."""
    take(calendar(("Ana", -50, -40), ("Ben", -2, 10)), "--from", (NOW - timedelta(hours=60)).isoformat())
    assert take(calendar(("Ben", -2, 10))) == (0, 0, 1)
    assert who(-45) == ["Ana"]


def test_a_shift_that_has_begun_dates_from_its_beginning(take, who):
    """So that last night's postmortem knows who was on call, though the calendar came late."""
    take(calendar(("Ana", -20, 10)))
    asked = (NOW - timedelta(hours=10)).isoformat()
    assert who(-10, as_of=asked) == ["Ana"]
    take(calendar(("Ben", -20, 10)))
    assert who() == ["Ben"]
    assert who(-10, as_of=asked) == ["Ana"], "what was known of the past is not rewritten"


def test_a_rota_may_cover_some_services(take, who):
    """Those that are named, and no other."""
    take(calendar(("Ana", -2, 10)), "--service", f"{take.rota}-web", "--service", f"{take.rota}-api")
    assert who(service=f"{take.rota}-web") == ["Ana"]
    assert who(service="another") == []
    assert take(calendar(("Ana", -2, 10)), "--service", f"{take.rota}-api", "--service", f"{take.rota}-web") == (
        0,
        0,
        1,
    )


def test_a_dry_run_records_nothing(take, who):
    """It says what it would do."""
    assert take(calendar(("Ana", -2, 10)), "--dry-run") == (1, 0, 0)
    assert who() == []
    assert take(calendar(("Ana", -2, 10))) == (1, 0, 0)


def test_what_makes_no_shift_is_told_with_why(lastgood, server, take):
    """On standard error for people, in the answer for programs; the rest is taken in."""
    content = calendar(("Ana", -2, 10)).replace(
        b"END:VCALENDAR", b"BEGIN:VEVENT\r\nSUMMARY:Odd one\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    told = lastgood("import", "oncall", "-", "--rota", take.rota, stdin=content)
    assert told.exit_code == 0
    assert f"rota {take.rota}: 1 shift, 1 assigned, 0 released" in told.stdout
    assert "skipped: Odd one: it has no start" in told.stderr
    again = lastgood("import", "oncall", "-", "--rota", take.rota, "--output", "json", stdin=content)
    assert json.loads(again.stdout)["skipped"] == [{"entry": "Odd one", "why": "it has no start"}]


@pytest.mark.parametrize(
    "flags, words",
    [
        (("--zone", "Middle/Earth"), "Middle/Earth"),
        (("--from", "yesterday"), "yesterday"),
        (("--from", "2026-01-01T00:00:00"), "offset"),
        (("--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"), "is not after"),
        (("--person", "("), "regular expression"),
        (("--person", "On Call"), "parentheses"),
    ],
)
def test_flags_that_cannot_be_meant_are_usage_errors(lastgood, flags, words):
    """Before anything is read or sent."""
    shown = lastgood("import", "oncall", "-", "--rota", "r", *flags, stdin=calendar(("Ana", 0, 1)))
    assert shown.exit_code == 2
    assert words in shown.stderr


def test_what_is_no_calendar_is_invalid_input(lastgood):
    """Exit 3, with what to look at."""
    shown = lastgood("import", "oncall", "-", "--rota", "r", stdin=b"<html>sign in</html>")
    assert shown.exit_code == 3
    assert "iCalendar" in shown.stderr or "calendar" in shown.stderr


def test_without_the_ledger_nothing_can_be_compared(lastgood, faulty):
    """Exit 7: a calendar that was not held against the record is not recorded."""
    faulty.answers = [Answer(drop=True)]
    shown = lastgood(
        *("import", "oncall", "-", "--rota", "r", "--url", faulty.url, "--timeout", "0.2"),
        stdin=calendar(("Ana", 0, 1)),
    )
    assert shown.exit_code == 7
    assert all(each.method == "GET" for each in faulty.asked)


# Laws, of the pure part

PEOPLE = st.sampled_from(["Ana", "Ben", "Chi"])
CALENDARS = st.lists(
    st.builds(
        lambda person, start, hours, contact: Shift(
            person, NOW + timedelta(hours=start), NOW + timedelta(hours=start + hours), contact
        ),
        PEOPLE,
        st.integers(-5, 20),
        st.integers(1, 10),
        st.sampled_from([None, "+43 1"]),
    ),
    max_size=6,
    unique=True,
)


class Rota:
    """What a ledger would have recorded, event by event, each id once."""

    def __init__(self):
        self.kept, self.released, self.ids, self.positions = [], [], set(), count(1)

    @property
    def recorded(self):
        return {"items": self.kept, "released": self.released}

    def take(self, shifts):
        made = changes(shifts, self.recorded, "rota", (), "urn:calendar", NOW)
        for event in (*made.released, *made.assigned):
            assert event["id"] not in self.ids, "else the ledger would take it for a duplicate and record nothing"
            self.ids.add(event["id"])
            self._record(event)
        return made

    def _record(self, event):
        entry = {"services": [], "contact": None, **event["data"], "source": event["source"]}
        entry["position"] = next(self.positions)
        if event["type"] == "oncall.assigned":
            self.kept = [*self.kept, entry]
            return
        self.released = [*self.released, entry]
        same = ("person", "from", "to")
        self.kept = [each for each in self.kept if any(each[name] != entry[name] for name in same)]


@given(st.lists(CALENDARS, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_after_an_import_the_rota_is_as_the_calendar_says(calendars):
    """Whatever was recorded before; and the same calendar again changes nothing."""
    rota = Rota()
    for shifts in calendars:
        rota.take(shifts)
        wanted = {(each.person, each.start, each.end, each.contact) for each in shifts}
        kept = [
            (each["person"], datetime.fromisoformat(each["from"]), datetime.fromisoformat(each["to"]), each["contact"])
            for each in rota.kept
        ]
        missing = wanted - set(kept)
        assert set(kept) <= wanted
        # Two shifts of one person at one time, which differ in the contact alone, are taken back as one.
        assert all(any(each[:3] == other[:3] for other in wanted - {each}) for each in missing)
        if not missing:
            again = rota.take(shifts)
            assert (again.released, again.assigned) == ([], [])


def test_two_imports_at_once_record_everything_once():
    """They read the same, so they make the same events under the same ids."""
    shifts = [Shift("Ana", NOW, NOW + timedelta(hours=1))]
    first, second = (changes(shifts, EMPTY, "rota", (), "urn:calendar", NOW) for _ in range(2))
    assert first == second


def test_a_redacted_person_is_not_recorded_anew():
    """What was forgotten stays forgotten, though the calendar still knows."""
    shift = Shift("Ana", NOW, NOW + timedelta(hours=1), "+43 1")
    entry = {
        "person": REDACTED,
        "contact": REDACTED,
        "from": NOW.isoformat(),
        "to": (NOW + timedelta(hours=1)).isoformat(),
        "services": [],
        "source": "urn:calendar",
        "position": 1,
    }
    made = changes([shift], {"items": [entry], "released": []}, "rota", (), "urn:calendar", NOW)
    assert (made.assigned, made.released, made.unchanged) == ([], [], 1)
