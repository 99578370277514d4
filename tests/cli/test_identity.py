"""What makes an event sent twice one event, and two events two."""

import re

from api.cli.ci import Facts
from api.cli.identity import missing, now, uuid7

JOB = Facts(tool="github", source="https://ci.example.com/runs/1", run="run-1", attempt="run-1-1", job="run-1-1-deploy")
EVENT = {"type": "deployment.succeeded", "data": {"service": "payments", "version": "1.5.0"}}


def test_uuids_are_version_7_and_sort_by_time():
    """RFC 9562, section 5.7: version, variant, and milliseconds in front."""
    ids = [uuid7() for _ in range(1000)]
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", each) for each in ids
    )
    assert len(set(ids)) == 1000
    assert [each[:13] for each in ids] == sorted(each[:13] for each in ids)


def test_now_has_an_offset():
    """A naive time is refused by the ledger."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", now())


def test_outside_of_ci_an_event_gets_a_new_id_and_its_time():
    """Said twice by a person is said twice."""
    first, second = missing(EVENT, Facts(), clock=lambda: "t"), missing(EVENT, Facts(), clock=lambda: "t")
    assert first["time"] == "t"
    assert first["id"] != second["id"]


def test_an_event_with_an_id_is_left_as_it_is():
    """Its sender decides what a duplicate is, and a time of ours would make each sending different."""
    assert missing({**EVENT, "id": "mine"}, Facts()) == {}
    assert missing({**EVENT, "id": "mine"}, JOB) == {}


def test_a_time_that_is_given_stays():
    """Only the id is missing then."""
    assert set(missing({**EVENT, "time": "2026-11-22T21:00:00Z"}, Facts())) == {"id"}


def test_a_retried_step_makes_the_same_event():
    """Same job, same content, same id; and no time, which would differ."""
    assert missing(EVENT, JOB) == missing(dict(reversed(EVENT.items())), JOB)
    assert set(missing(EVENT, JOB)) == {"id", "source"}
    assert missing(EVENT, JOB)["source"] == JOB.source


def test_a_rerun_another_content_and_another_line_make_other_events():
    """Whatever differs must not be swallowed as a duplicate."""
    rerun = Facts(source=JOB.source, run="run-1", attempt="run-1-2", job="run-1-2-deploy")
    other = {**EVENT, "data": {**EVENT["data"], "version": "1.5.1"}}
    ids = [missing(EVENT, JOB)["id"], missing(EVENT, rerun)["id"], missing(other, JOB)["id"]]
    ids += [missing(EVENT, JOB, line)["id"] for line in (1, 2)]
    assert len(set(ids)) == 5


def test_a_source_that_is_given_stays():
    """CI's source only fills in."""
    assert "source" not in missing({**EVENT, "source": "mine"}, JOB)
