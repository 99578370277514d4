"""`lastgood reconcile`: a population from elsewhere against the record, both ways."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from api.cli import population
from api.cli.exits import Invalid
from ledger.values import instant, microseconds
from tests.cli.faulty import Answer
from tests.cli.test_changes import CHANGE, RECORD

NAMES = population.columns(None)
ANYWHERE = {"service": None, "environment": None}
HEADER = "service,environment,version,time,id\n"


def change(position, version, time, **more):
    return {**CHANGE, "position": position, "version": version, "time": f"2026-03-02T{time}:00Z", "id": None, **more}


def reconcile(lastgood, faulty, text, *words, changes=()):
    faulty.asked.clear()
    faulty.answers = [Answer(200, {**RECORD, "changes": list(changes)})]
    return lastgood("reconcile", "-", "--url", faulty.url, *words, stdin=text)


def read(text, names=None, **usual):
    return population.read(text.encode(), population.columns(names), ANYWHERE | usual)


def at(text):
    return microseconds(instant(text))


def test_what_agrees_is_0(lastgood, faulty):
    """Both have the same."""
    text = HEADER + "web,production,A,2026-03-02T09:41:00Z,run-1\n"
    shown = reconcile(lastgood, faulty, text, changes=[change(5, "A", "09:40")])
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr == "1 in both, 0 with a difference, 0 only there, 0 only in the record (known at 9)\n"


def test_what_differs_is_10_and_told_both_ways(lastgood, faulty):
    """One a row, with the line and the position."""
    text = HEADER + (
        "web,production,A,2026-03-02T09:00:00Z,\n"
        "web,production,B,2026-03-02T10:00:00Z,\n"
        "web,production,C,2026-03-02T11:00:00Z,\n"
        "shop,production,A,2026-03-02T12:00:00Z,\n"
    )
    ours = [change(5, "A", "09:01"), change(6, "B", "10:30"), change(7, "X", "11:01"), change(8, "Z", "11:30")]
    shown = reconcile(lastgood, faulty, text, changes=ours)
    assert shown.exit_code == 10
    rows = [line.split() for line in shown.stdout.splitlines()[1:]]
    assert rows == [
        "only there shop@production A 2026-03-02T12:00:00Z 5".split(),
        "only in the record web@production Z 2026-03-02T11:30:00Z 8".split(),
        "differs web@production B 2026-03-02T10:00:00Z 3 6 the record has it 30 min later".split(),
        "differs web@production C 2026-03-02T11:00:00Z 4 7 the record has X".split(),
    ]
    assert shown.stderr.startswith("1 in both, 2 with a difference, 1 only there, 1 only in the record")


def test_as_json(lastgood, faulty):
    """All of it, for programs; with what the record was looked through for."""
    text = HEADER + "web,production,A,2026-03-02T09:41:00Z,run-1\n"
    ours = [change(5, "A", "09:40"), change(6, "B", "09:41")]
    shown = reconcile(
        lastgood, faulty, text, "--output", "json", "--from", "2026-03-02", "--to", "2026-03-03", changes=ours
    )
    found = json.loads(shown.stdout)
    assert shown.exit_code == 10
    assert (found["agrees"], found["known_at"], found["checkpoint"]["size"]) == (False, 9, 10)
    assert (found["from"], found["to"]) == ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")
    (matched,) = found["matched"]
    assert (matched["there"]["line"], matched["here"]["position"], matched["seconds_later_here"]) == (2, 5, -60)
    assert [each["position"] for each in found["only_here"]] == [6]


def test_the_record_is_asked_for_a_day_more_on_both_sides(lastgood, faulty):
    """What lies there may be the other half; it is not missed."""
    text = HEADER + "web,production,A,2026-03-02T09:00:00Z,\nweb,production,B,2026-03-02T10:00:00Z,\n"
    ours = [change(5, "A", "08:59"), change(6, "B", "10:01"), change(7, "C", "10:02")]
    assert reconcile(lastgood, faulty, text, changes=ours).exit_code == 0
    asked = parse_qs(urlsplit(faulty.asked[0].path).query)
    assert (asked["from"], asked["to"]) == (["2026-03-01T09:00:00Z"], ["2026-03-03T10:00:00.000001Z"])


def test_which_kinds_are_compared(lastgood, faulty):
    """Deployments that succeeded; a rollback may be one that another tool calls so, and is not missed."""
    text = HEADER + "web,production,A,2026-03-02T09:00:00Z,\nweb,production,B,2026-03-02T10:00:00Z,\n"
    ours = [
        change(5, "A", "09:00"),
        change(6, "B", "10:00", kind="rollback"),
        change(7, "C", "09:30", kind="rollback"),
        change(8, "D", "09:30", outcome="failed"),
        change(9, "E", "09:30", kind="release"),
    ]
    assert reconcile(lastgood, faulty, text, changes=ours).exit_code == 0
    shown = reconcile(lastgood, faulty, text, "--kind", "deployment", "--kind", "rollback", changes=ours)
    assert "1 only in the record" in shown.stderr
    assert "2 only there" in reconcile(lastgood, faulty, text, "--kind", "release", changes=ours).stderr


def test_a_tolerance_of_ones_own(lastgood, faulty):
    """In minutes."""
    text = HEADER + "web,production,A,2026-03-02T09:00:00Z,\n"
    ours = [change(5, "A", "09:30")]
    assert reconcile(lastgood, faulty, text, "--to", "2026-03-03", changes=ours).exit_code == 10
    assert reconcile(lastgood, faulty, text, "--to", "2026-03-03", "--tolerance", "30", changes=ours).exit_code == 0


def test_one_service_or_environment_alone(lastgood, faulty):
    """Others in the file are left out; rows that do not say are of it."""
    text = "version,time,service\nA,2026-03-02T09:00:00Z,web\nA,2026-03-02T09:00:00Z,shop\nA,2026-03-02T11:00:00Z,\n"
    words = ("--service", "web", "--environment", "production")
    shown = reconcile(lastgood, faulty, text, *words, changes=[change(5, "A", "09:00"), change(6, "A", "11:00")])
    assert shown.exit_code == 0, shown.output
    assert "service=web" in faulty.asked[0].path


def test_an_empty_file(lastgood, faulty):
    """Is compared for a period that is given, and else is wrong usage."""
    shown = reconcile(
        lastgood, faulty, HEADER, "--from", "2026-03-02", "--to", "2026-03-03", changes=[change(5, "A", "09:00")]
    )
    assert (shown.exit_code, "1 only in the record" in shown.stderr) == (10, True)
    assert reconcile(lastgood, faulty, HEADER).exit_code == 2
    assert reconcile(lastgood, faulty, "").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["--columns", "service"],
        ["--columns", "service="],
        ["--columns", "repo=service"],
        ["--from", "yesterday"],
        ["--from", "2026-02-30"],
        ["--from", "2026-03-03", "--to", "2026-03-02"],
        ["--tolerance", "-1"],
        ["--kind", "all"],
    ],
    ids=" ".join,
)
def test_wrong_usage(lastgood, faulty, words):
    """Before the ledger is asked for anything."""
    assert reconcile(lastgood, faulty, HEADER + "web,production,A,2026-03-02T09:00:00Z,\n", *words).exit_code == 2
    assert not faulty.asked


def test_columns_as_they_are_called_there():
    """Any of them; the others keep our names."""
    (found,) = read(
        'repo,sha,finished,environment\n"a, b",0543e8,2026-03-02T09:00:00Z,prod\n',
        "service=repo,version=sha,time=finished",
    )
    assert (found.service, found.environment, found.version, found.id) == ("a, b", "prod", "0543e8", None)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheets_write_is_read(separator):
    """Other separators, blanks around names, capitals, a byte order mark, line ends of their own."""
    header = separator.join(["Service", " Environment ", "VERSION", "Time"])
    row = separator.join(["web", "prod", '"1,5;0"', "2026-03-02T09:00:00Z"])
    (found,) = read(f"\ufeff{header}\r\n{row}\r\n")
    assert (found.place, found.service, found.environment, found.version) == (2, "web", "prod", "1,5;0")


def test_a_row_is_where_it_begins():
    """Also where a cell has several lines."""
    text = f'{HEADER}web,prod,"A\nB",2026-03-02T09:00:00Z,\nweb,prod,A,soon,\n'
    with pytest.raises(Invalid, match=r"^line 4: "):
        read(text)


def test_ndjson_is_read_as_well():
    """Numbers stay as they are written, and what is none is left out."""
    text = '{"service": "web", "environment": "prod", "version": 2.4, "time": 1772442000, "id": null}\n\n'
    (found,) = read(text)
    assert (found.place, found.version, found.at, found.id) == (1, "2.4", at("2026-03-02T09:00:00Z"), None)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T10:00:00+01:00",
        "2026-03-02 09:00:00Z",
        "2026-03-02 09:00:00 UTC",
        "2026-03-02 10:00:00+01:00",
        "2026-03-02 10:00:00.000 +01:00",
        "1772442000",
        "1772442000000",
        "1772442000.0",
    ],
)
def test_times_as_others_write_them(text):
    """With an offset, or since 1970."""
    if text.endswith("+01:00") and " " in text and "." not in text:
        text = text.replace("+01:00", " +01:00")
    (found,) = read(f"{HEADER}web,prod,A,{text},\n")
    assert found.at == at("2026-03-02T09:00:00Z")


@pytest.mark.parametrize(
    "text,line",
    [
        (f"{HEADER}web,prod,A,2026-03-02T09:00:00,\n", 2),
        (f"{HEADER}web,prod,A,2026-03-02 09:00:00,\n", 2),
        (f"{HEADER}web,prod,A,soon,\n", 2),
        (f"{HEADER}web,prod,A,,\n", 2),
        (f"{HEADER}web,prod,A,2026-03-02T09:00:00Z,\n,prod,A,2026-03-02T09:00:00Z,\n", 3),
        (f"{HEADER}web,prod,A,2026-03-02T09:00:00Z,x,y,z\n", 2),
        (f'{HEADER}"web,prod\n', 2),
        ("service,environment,time,Time,time\nweb,prod,1,2,3\n", 1),
        ('{"service": "web"}\n[]\n', 1),
        ('{"service": "web", "environment": "p", "time": "2026-03-02T09:00:00Z"}\nnot json\n', 2),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(text, line):
    """Nothing is left out in silence."""
    with pytest.raises(Invalid, match=f"^line {line}: "):
        read(text)


def test_a_file_that_is_no_text(lastgood, faulty):
    """Exit 3."""
    assert reconcile(lastgood, faulty, b"\xff\xfe\x00").exit_code == 3
