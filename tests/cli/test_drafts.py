"""Reading events as they come, and keeping their text."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cli.ci import Facts
from api.cli.drafts import Draft, batches, of, read
from api.cli.exits import Invalid

NOWHERE = Facts()


def drafts(text: str | bytes, facts: Facts = NOWHERE) -> list[Draft]:
    return list(read(io.BytesIO(text.encode() if isinstance(text, str) else text), facts))


EVENTS = [
    {"id": str(number), "type": "metric.observed", "data": {"name": "ü\n", "value": number}} for number in range(5)
]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(each) for each in EVENTS),
        "\r\n".join(json.dumps(each) for each in EVENTS) + "\r\n\r\n",
        json.dumps(EVENTS),
        json.dumps(EVENTS, indent=2),
        "\ufeff" + json.dumps(EVENTS, ensure_ascii=False),
        "\n\n".join(json.dumps(each, indent=4) for each in EVENTS),
    ],
    ids=["ndjson", "crlf", "array", "indented array", "byte order mark", "indented objects"],
)
def test_every_form_gives_the_same_events(text):
    """A JSON array, NDJSON, or one object after another."""
    assert [json.loads(each.text) for each in drafts(text)] == EVENTS
    assert all(b"\n" not in each.text and b"\r" not in each.text for each in drafts(text))


def test_one_object_is_one_event():
    """As a webhook's body or a hand-written file."""
    assert len(drafts(json.dumps(EVENTS[0], indent=2))) == 1


def test_the_text_of_an_event_is_not_rewritten():
    """Parsers drop the first of two members of one name and the digits of a number; the ledger must see both."""
    line = '{"id":"1","type":"x","data":{"a":1,"a":2,"n":1.10,"big":12345678901234567890}}'
    assert drafts(line)[0].text == line.encode()
    told = drafts(line.replace('"id":"1",', ""))[0].text.decode()
    assert told.endswith(line.replace('{"id":"1",', ""))


def test_an_event_without_an_id_gets_one_in_front_of_its_own_text():
    """Before the first attempt, so that it may be sent twice."""
    event = json.loads(drafts('  {"type": "x", "data": {}}')[0].text)
    assert list(event) == ["id", "time", "type", "data"]


def test_equal_lines_in_one_job_are_two_events():
    """Two equal measurements are two; the same file again is the same."""
    job = Facts(source="https://ci", run="r", attempt="r-1", job="r-1-j")
    text = '{"type":"metric.observed","data":{}}\n' * 2
    ids = [json.loads(each.text)["id"] for each in drafts(text, job)]
    assert len(set(ids)) == 2
    assert ids == [json.loads(each.text)["id"] for each in drafts(text, job)]


def test_an_event_that_waits_gets_a_time():
    """Else it would claim to have happened when the ledger was back."""
    (draft,) = drafts('{"id":"1","type":"x","data":{}}')
    assert not draft.timed
    assert "time" in json.loads(draft.stamped().text)
    (timed,) = drafts('{"id":"1","type":"x","time":"2026-11-22T21:00:00Z","data":{}}')
    assert timed.stamped() is timed


@pytest.mark.parametrize(
    "text,told",
    [
        ("", "no event"),
        (" \n\n", "no event"),
        ('{"type":"x"}\n{"type":\n', "line 3"),
        ('{"type":"x"}\n\n{"type":"x"} oops', "line 3"),
        ('{"type":"x"}\n3\n', "line 2"),
        ('{"type":"x"}\n{"data":{}}\n', "line 2"),
        ('[{"type":"x"}\n{"type":"x"}]', "line 2"),
        ('[{"type":"x"},\n', "line 2"),
        ('[{"type":"x"}]\n{"type":"x"}', "line 2"),
        (b'{"type":"\xff"}', "not UTF-8"),
        ("[" * 100_000, "deep"),
    ],
)
def test_what_is_not_an_event_is_told_with_its_line(text, told):
    """The first fault ends the reading."""
    with pytest.raises(Invalid, match=told):
        drafts(text)


def test_an_empty_array_is_no_event_and_no_error():
    """A program that found nothing to tell says so."""
    assert drafts("[ ]") == []


def test_batches_are_cut_by_number_and_by_size():
    """The ledger takes 10,000 events and 16 MiB."""
    small = [Draft(b"{}", "x", True)] * 25_000
    assert [len(each) for each in batches(iter(small))] == [10_000, 10_000, 5_000]
    large = [Draft(b"x" * 1024 * 1024, "x", True)] * 31
    assert [len(each) for each in batches(iter(large))] == [14, 14, 3]


class Slowly(io.RawIOBase):
    """A pipe that gives few bytes at a time."""

    def __init__(self, content: bytes, step: int) -> None:
        self.content, self.step = content, step

    def read(self, _size: int = -1) -> bytes:
        given, self.content = self.content[: self.step], self.content[self.step :]
        return given


@given(step=st.integers(1, 40), indent=st.sampled_from([None, 1]), array=st.booleans())
def test_where_a_pipe_is_cut_makes_no_difference(step, indent, array):
    """Characters of two bytes, members and line ends may all be torn apart."""
    separator = "," if array else "\n"
    text = separator.join(json.dumps(each, indent=indent, ensure_ascii=False) for each in EVENTS)
    content = (f"[{text}]" if array else text).encode()
    assert [json.loads(each.text) for each in read(Slowly(content, step), NOWHERE)] == EVENTS


def test_a_long_value_is_not_read_over_and_over():
    """Sixteen MiB in one value, and then a fault, is told within seconds."""
    text = b'{"type":"x","data":"' + b"a" * (16 << 20)
    with pytest.raises(Invalid, match="line 1"):
        drafts(text)


def test_an_event_made_here_has_all_it_needs():
    """Flags make a dictionary; the draft is its JSON."""
    draft = of({"specversion": "1.0", "type": "x", "data": {}}, NOWHERE)
    assert set(json.loads(draft.text)) == {"id", "time", "specversion", "type", "data"}
    assert draft.timed
