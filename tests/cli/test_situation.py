"""`lastgood situation`: the first minute on one screen, in words that need no colour."""

import json
import os
import pty
import re
import subprocess
import sys
from copy import deepcopy
from uuid import uuid4

import pytest
from rich.console import Console

from api.cli import screen, situation_rows
from api.cli.screen import CAN_WAIT, Section, fit, row
from tests.cli.faulty import Answer
from tests.server import environment

HASH = "0123456789abcdef0123456789abcdef01234567"


def item(type_, minute, **more):
    base = {"position": 1000 - minute, "time": at(minute), "type": type_, "version": None, "digest": None}
    return base | {"change": None, "replaced": None, "rollback_id": None, "reference": None, "detail": None} | more


def at(minutes_ago):
    minutes = 21 * 60 - minutes_ago
    return f"2026-11-22T{minutes // 60:02}:{minutes % 60:02}:00Z"


RESPONSE = {
    "incident": "INC-2041",
    "severity": "SEV-1",
    "text": "roll back at once, no debate",
    "since": at(12),
    "seconds": 723,
}
FOUND = {
    "service": "checkout",
    "environment": "production",
    "as_of": "2026-11-22T21:00:00Z",
    "known_at": 8214,
    "deployed": {"version": "2.16.0-rc1", "digest": None, "since": at(5)},
    "current": {"version": "2.15.0", "digest": None, "since": at(30), "exposure": 95},
    "exposures": [
        {"version": "2.15.0", "digest": None, "exposure": 95},
        {"version": "2.16.0-rc1", "digest": None, "exposure": 5, "release_id": "r", "since": at(4)},
    ],
    "last_known_good": {"version": "2.14.0", "digest": None, "basis": "verified", "last_live_until": at(30)},
    "rollback_target": {
        "version": "2.14.0",
        "digest": None,
        "last_live_until": at(30),
        "known_good": True,
        "basis": "verified",
        "blockers": [],
        "warnings": [{"code": "artifact_not_checked", "detail": "nobody checked it", "position": None}],
    },
    "target_reached": None,
    "active_incidents": [{"id": "INC-2041", "severity": "SEV-1", "drill": False}],
    "certain": False,
    "uncertain_because": [{"code": "deployment_failed", "detail": "something may be half done", "position": 9}],
    "recent": {
        "in_flight": [
            {
                "kind": "deployment",
                "reference": "d",
                "version": "2.17.0",
                "exposure": None,
                "since": at(1),
                "age_seconds": 60,
                "position": 99,
            }
        ],
        "deployments": [item("deployment.succeeded", 5, version="2.16.0-rc1")],
        "releases": [item("release.completed", 30, version="2.15.0", replaced="2.14.0", change="forward")],
        "rollbacks": [],
        "features": [item("feature.enabled", 40, detail="dark mode", reference="dark mode")],
        "configuration": [],
        "migrations": [],
    },
    "elsewhere": [
        {"service": f"svc-{n}", "type": "deployment.succeeded", "what": str(n), "time": at(n), "position": n}
        for n in range(1, 30)
    ],
    "alerts": [
        {
            "fingerprint": f"f{n}",
            "name": f"alert {n}",
            "severity": "page",
            "state": "active" if n < 5 else "resolved",
            "since": at(20),
            "until": None if n < 5 else at(10),
            "times_fired": 1000,
            "times_fired_last_hour": 40,
            "service": "checkout" if n else None,
            "environment": "production",
            "incident": None,
            "url": None,
            "position": n,
        }
        for n in range(7)
    ],
    "metrics": [
        {
            "name": f"metric {n}",
            "value": 38.5,
            "unit": "%",
            "time": at(1),
            "window_s": 60,
            "service": "checkout",
            "environment": "production",
            "incident": None,
            "url": None,
            "position": n,
            "earlier": [{"value": 0.1, "time": at(9)}],
        }
        for n in range(12)
    ],
    "on_call": [
        {
            "rota": "shop",
            "services": [],
            "person": "Ana Lima",
            "contact": "+43 1",
            "since": at(600),
            "until": "2026-11-22T22:00:00Z",
            "instead_of": "Ben Okoro",
            "position": 3,
            "next": {"person": "Ben Okoro", "contact": None, "from": "2026-11-22T22:00:00Z"},
        }
    ],
    "responsible": {"person": "Chi Tran", "as": "commander", "of": "INC-2041", "contact": None},
    "incidents": [
        {
            "id": "INC-2041",
            "title": "Every checkout fails",
            "kind": "outage",
            "severity": "SEV-1",
            "suggested_severity": None,
            "state": "declared",
            "drill": False,
            "began": at(15),
            "declared": at(12),
            "commander": "Chi Tran",
            "expected_response": RESPONSE,
        }
    ],
    "undeclared": [],
    "expected_response": RESPONSE,
    "rollback": None,
    "compare_url": f"https://github.com/acme/checkout/compare/{HASH}...{HASH}",
    "commands": [
        {"do": "decide to roll back", "command": "lastgood rollback decided --service checkout --to-version 2.14.0"},
        {"do": "decide against it", "command": "lastgood rollback declined --service checkout --reason WHY"},
    ],
    "freshness": {
        "alerts": {"age_seconds": 20, "slot_age_seconds": 600},
        "metrics": {"age_seconds": 60, "slot_age_seconds": 60},
        "deployments": {"age_seconds": 60, "slot_age_seconds": 300},
        "changes": {"age_seconds": 3 * 86400, "slot_age_seconds": None},
        "on_call": {"age_seconds": 36000, "slot_age_seconds": 36000},
        "observations": {"age_seconds": None, "slot_age_seconds": None},
    },
}


def lines(found, width=80, rows=23, **told):
    return [each.plain for each in fit(situation_rows.sections(found, **told), rows, Console(width=width))]


def height(shown, width=80):
    return sum(max(1, -(-len(each) // width)) for each in shown)


def of(shown, label):
    """The rows under a label."""
    start = next(i for i, each in enumerate(shown) if each.startswith(label))
    rest = shown[start + 1 :]
    more = next((i for i, each in enumerate(rest) if each[:1].strip()), len(rest))
    return [each[screen.LABEL :] for each in [shown[start], *rest[:more]]]


def changed(**more):
    return deepcopy(FOUND) | more


@pytest.mark.parametrize("width, rows", [(80, 23), (80, 40), (120, 39), (200, 40), (60, 30)])
def test_it_fits_the_screen_whatever_there_is_to_tell(width, rows):
    """Rows that a terminal folds are counted as it folds them."""
    shown = lines(FOUND, width, rows)
    assert height(shown, width) <= rows
    assert shown[0].startswith(" SEV-1 ")


def test_severity_is_the_first_thing_that_is_read():
    """And what it asks for, with the clock."""
    shown = lines(FOUND)
    assert shown[0].strip().startswith("SEV-1   checkout in production")
    assert "INC-2041  Every checkout fails" in shown[1]
    assert "roll back at once, no debate   0:12:03 since SEV-1" in shown[2]
    calm = lines(changed(incidents=[], expected_response=None))
    assert calm[0].startswith(" no active incident ")
    drill = changed(incidents=[FOUND["incidents"][0] | {"drill": True}])
    assert lines(drill)[0].startswith(" SEV-1 DRILL ")
    assert ", declared, a drill, " in lines(drill)[1]
    planned = changed(incidents=[FOUND["incidents"][0] | {"kind": "maintenance"}], expected_response=None)
    assert lines(planned)[0].startswith(" SEV-1 MAINTENANCE ")
    assert ", declared, maintenance, " in lines(planned)[1]


def test_released_deployed_and_last_known_good_are_three_rows():
    """Each says what it is: what users see, what is installed, what was good."""
    shown = lines(FOUND, 120, 40)
    assert of(shown, "released")[0].startswith("2.15.0  users see it since 20:30:00Z, 30 min ago, 95 % of users")
    assert of(shown, "released")[1].startswith("2.16.0-rc1  on its way: 5 % of users")
    assert of(shown, "deployed")[0].startswith("2.16.0-rc1  installed since 20:55:00Z, 5 min ago, and is not what")
    assert of(shown, "deployed")[1] == "not certain: something may be half done"
    assert of(shown, "last known good")[0].startswith("2.14.0  verified by a person; live until 20:30:00Z")
    assert of(shown, "roll back to")[0].startswith("2.14.0  verified by a person, nothing against it; 1 warning")


def test_a_slot_of_which_little_is_known_says_so_in_words():
    """No row is empty, and none breaks."""
    nothing = changed(
        deployed=None,
        current=None,
        exposures=[],
        last_known_good=None,
        rollback_target=None,
        uncertain_because=[],
        alerts=[],
        metrics=[],
        on_call=[],
        responsible=None,
        compare_url=None,
    )
    shown = lines(nothing, 120, 40)
    for label, words in (
        ("released", "nothing  users see no version of it"),
        ("deployed", "nothing  no deployment is recorded"),
        ("last known good", "none  no version that was live here is known good"),
        ("roll back to", "none  nothing older was live here"),
        ("alerts", "none active; the last one here or elsewhere was heard 20 s ago"),
        ("on call", "nobody  no rota covers this service"),
        ("responsible", "nobody  no commander, no owner, nobody on call"),
    ):
        assert of(shown, label)[0].startswith(words)


def test_no_alert_is_not_silence():
    """What was never heard is told as that."""
    silent = changed(alerts=[])
    silent["freshness"]["alerts"] = {"age_seconds": None, "slot_age_seconds": None}
    assert of(lines(silent, 120, 40), "alerts")[0] == "none active; none was ever heard"
    heard = of(lines(FOUND, 120, 40), "last heard")
    assert heard[0].startswith(
        "alerts 10m, metrics 60s, deployments 5m, changes never, on call 10h, observations never"
    )
    assert heard[1].startswith("of anything: alerts 20s")


def test_alerts_are_counted_not_listed_a_thousand_times():
    """Active before resolved; a monitor that flaps is one row."""
    shown = of(lines(FOUND, 120, 40), "alerts")
    assert shown[0] == "alert 0  page, whole environment, for 20 min, fired 40 times in an hour"
    assert all("resolved 10 min ago" in each for each in shown[5:7])


def test_rows_that_do_not_fit_are_counted():
    """Nothing is dropped in silence."""
    shown = lines(FOUND)
    assert of(shown, "metrics")[-1].endswith("and 11 more")
    assert of(shown, "elsewhere")[-1].endswith("and 28 more")
    narrow = lines(FOUND, 60, 24)
    assert narrow[-1].startswith("a taller screen also shows: ")
    assert "compare" in narrow[-1]


@pytest.mark.parametrize(
    "told, more, words",
    [
        ("pending", {}, "decided, not carried out: to 2.14.0, decided 3 min ago by Ana; no pipeline has claimed it"),
        ("claimed", {"claimed": at(2)}, "being carried out: to 2.14.0, decided 3 min ago by Ana; claimed 2 min ago"),
        (
            "target_reached",
            {"executed": at(2), "observed": at(1)},
            "target reached 2 min ago, observed 60 s ago, not yet verified: to 2.14.0",
        ),
        ("verified", {"verified": at(2)}, "verified 2 min ago: to 2.14.0"),
        ("ineffective", {"ineffective": at(2)}, "did not help, as found 2 min ago: to 2.14.0"),
        ("failed", {"failed": at(2)}, "failed 2 min ago: to 2.14.0"),
        ("lapsed", {}, "decided, never carried out, and lapsed: to 2.14.0"),
        ("undecided", {"executed": at(2), "decided": None}, "nobody decided it: went back to 2.13.0 2 min ago"),
        ("other_version", {"executed": at(2)}, "went elsewhere: to 2.13.0, not to 2.14.0, decided 3 min ago by Ana"),
        ("cancelled", {}, "cancelled: to 2.14.0"),
    ],
)
def test_what_became_of_a_rollback_is_told_in_words_of_its_own(told, more, words):
    """Decided, executed and effective are different things, and read differently."""
    steps = dict.fromkeys("decided claimed executed failed reached observed verified ineffective cancelled".split())
    given = {
        name: {"time": time, "position": 1} if time else None for name, time in ({"decided": at(3)} | more).items()
    }
    rollback = {
        **steps,
        **given,
        "told": told,
        "to_version": "2.14.0",
        "went_to": "2.13.0",
        "decided_by": "p-1",
        "decided_by_name": "Ana",
        "reason": "every checkout fails",
    }
    shown = of(lines(changed(rollback=rollback), 160, 40), "rollback")
    assert shown[0].startswith(words)
    assert shown[1] == "because: every checkout fails"


def test_a_gap_on_call_is_told_as_a_gap():
    """Nobody, since when, and who comes next."""
    gap = FOUND["on_call"][0] | {"person": None, "contact": None, "instead_of": None}
    shown = of(lines(changed(on_call=[gap]), 160, 40), "on call")
    assert shown == ["nobody since 11:00:00Z; next Ben Okoro from 22:00:00Z  (rota shop)"]


def test_what_a_machine_noticed_and_nobody_declared_is_told():
    """It may be the incident that one is looking for."""
    noticed = FOUND["incidents"][0] | {"severity": None, "suggested_severity": "SEV-1", "state": "detected"}
    shown = lines(changed(incidents=[], expected_response=None, undeclared=[noticed]), 120, 40)
    assert of(shown, "not declared") == ["INC-2041  Every checkout fails  detected 15 min ago, perhaps SEV-1"]


def test_of_an_earlier_moment_it_says_that_this_is_how_it_was():
    """Nobody acts on yesterday's screen."""
    assert "as it was at 2026-11-22 21:00:00Z" in lines(FOUND, past=True)[0]
    assert "as of 2026-11-22 21:00:00Z" in lines(changed(commands=[]))[0]


def test_commands_and_addresses_are_printed_as_one_line():
    """The terminal folds them, so that they are copied whole; a commit is told by its first digits."""
    shown = lines(FOUND)
    assert any(each.startswith(FOUND["commands"][0]["command"]) for each in shown)
    assert f"compare https://github.com/acme/checkout/compare/{HASH[:12]}...{HASH[:12]}" in shown


def test_text_from_the_record_cannot_move_the_cursor():
    """A title is somebody's input."""
    evil = changed(incidents=[FOUND["incidents"][0] | {"title": "\x1b[2Jgone\r\nall"}])
    assert all("\x1b" not in each and "\n" not in each for each in lines(evil, 200, 40))


# The command


def test_into_a_pipe_go_words_without_colours(lastgood, faulty):
    """One fact a line, none cut short."""
    faulty.answers = [Answer(200, FOUND)]
    shown = lastgood("situation", "check/out", "production", "--url", faulty.url, "--as-of", "2026-11-22T21:00:00Z")
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout
    assert len(shown.stdout.splitlines()) <= 40
    assert "as it was" in shown.stdout.splitlines()[0]
    assert "service=check%2Fout&environment=production&as_of=2026-11-22T21%3A00%3A00Z" in faulty.asked[0].path


def test_as_json_it_is_the_ledgers_own_answer(lastgood, faulty):
    """For programs."""
    faulty.answers = [Answer(200, FOUND)]
    shown = lastgood("situation", "checkout", "production", "--url", faulty.url, "--output", "json")
    assert json.loads(shown.stdout) == FOUND


def test_what_is_not_known_is_told_with_where_to_look(lastgood, faulty):
    """Exit 3: it asks for what is not there."""
    problem = {"title": "Not Found", "detail": "nothing is recorded of x in y", "status": 404, "type": "about:blank"}
    faulty.answers = [Answer(404, problem)]
    shown = lastgood("situation", "x", "y", "--url", faulty.url)
    assert shown.exit_code == 3
    assert "nothing is recorded of x in y" in shown.stderr


def on_a_terminal(server, service, width=80, height_=24, **more):
    """What the command shows on a terminal of a size, as it was printed."""
    master, slave = pty.openpty()
    settings_ = environment(url=server.url, token=server.tokens["responder"])
    settings_ |= {"TERM": "xterm-256color", "COLUMNS": str(width), "LINES": str(height_), **more}
    if "NO_COLOR" not in more:
        settings_.pop("NO_COLOR", None)
    command = [sys.executable, "-c", "from api.cli.main import main; main()", "situation", service, "production"]
    with subprocess.Popen(command, stdout=slave, stdin=slave, env=settings_, close_fds=True) as running:
        os.close(slave)
        printed = b""
        try:
            while piece := os.read(master, 4096):
                printed += piece
        except OSError:  # how a terminal says that the other end is gone
            pass
        running.wait(30)
    os.close(master)
    return printed.decode().replace("\r\n", "\n")


def bare(printed):
    return re.sub(r"\x1b\[[0-9;]*m", "", printed)


def test_on_a_real_terminal_it_fits_and_colour_only_repeats_the_words(server):
    """The same words with colours and without."""
    service = f"svc-{uuid4().hex[:8]}"
    slot = {"service": service, "environment": "production"}
    responder = server.client("responder")
    receipts = responder.append(
        {
            "type": "deployment.succeeded",
            "data": {**slot, "deployment_id": "1", "version": "A"},
            "time": "2026-01-01T00:00:00Z",
        },
        {"type": "deployment.succeeded", "data": {**slot, "deployment_id": "2", "version": "B"}},
        *(
            {"type": "alert.fired", "data": {**slot, "fingerprint": f"{service}-{n}", "name": f"alert {n}"}}
            for n in range(40)
        ),
        {
            "type": "incident.declared",
            "data": {
                "incident": f"I-{service}",
                "title": "t",
                "severity": "SEV-1",
                "kind": "outage",
                "affected": [slot],
            },
        },
    )
    responder.get("/v1/slots", at_least=receipts["last"])
    coloured, plain = on_a_terminal(server, service), on_a_terminal(server, service, NO_COLOR="1")
    assert "\x1b[" in coloured
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|4[0-7])m", plain)
    assert height(bare(coloured).splitlines()) <= 23
    for printed in (bare(coloured), bare(plain)):
        assert printed.splitlines()[0].startswith(" SEV-1 ")
        assert "and 3" in printed


# The screen itself


def test_room_goes_to_the_sections_by_rank_a_row_at_a_time():
    """Two of one rank take turns; who comes first in rank is not starved, nor greedy."""
    made = [Section(name, [row(f"{name}{n}") for n in range(9)], rank=rank) for name, rank in (("a", 1), ("b", 2))]
    shown = [each.plain.split()[-1] for each in fit(made, 6, Console(width=80))]
    assert len(shown) == 6
    plain = [each.plain for each in fit(made, 6, Console(width=80))]
    assert plain[2].endswith("a2  and 6 more")
    assert plain[5].endswith("b2  and 6 more")


def test_what_can_wait_goes_first_and_is_named():
    """On a screen that is too small for even the least."""
    made = [
        Section("must", [row("one")], rank=0),
        Section("may", [row("two")], rank=CAN_WAIT),
        Section(None, [row("three")], rank=CAN_WAIT + 1, title="extra"),
    ]
    assert [each.plain.strip() for each in fit(made, 2, Console(width=80))] == [
        f"{'must':<{screen.LABEL}}one",
        "a taller screen also shows: may, extra",
    ]
    assert len(fit(made, 3, Console(width=80))) == 3


def test_wide_characters_take_the_room_that_they_take():
    """Two columns each, on a terminal."""
    (line,) = fit([Section("a", [row("日本" * 60)])], 5, Console(width=80))
    assert line.cell_len <= 80
    assert line.plain.endswith("…")
