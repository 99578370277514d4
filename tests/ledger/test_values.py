"""The values that events are made of: what each rule keeps, and what it says of the rest."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.canonical import canonical
from ledger.values import (
    MIB,
    Choice,
    Digest,
    Due,
    Flag,
    Integer,
    Json,
    Labels,
    Number,
    Prose,
    Sha256,
    Text,
    Time,
    TooLong,
    Unfit,
    from_microseconds,
    instant,
    microseconds,
    rfc3339,
    stream_name,
)
from tests.strategies import json_values, lines, times

HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

REFUSED = [
    (Text(), "", "empty"),
    (Text(), 5, "string"),
    (Text(), None, "string"),
    (Text(3), "four", "at most 3"),
    (Text(), "a\nb", "control"),
    (Text(), "a\x00", "control"),
    (Text(), "\x85", "control"),
    (Text(), "\ud800", "surrogate"),
    (Prose(), " \n\t", "empty"),
    (Prose(), "a\x1b[31m", "control"),
    (Prose(), ["a"], "string"),
    (Choice(("a", "b")), "c", "a, b"),
    (Choice(("a", "b")), ["a"], "a, b"),
    (Digest(), f"sha512:{HEX}", "sha256:"),
    (Digest(), f"sha256:{HEX}0", "64"),
    (Digest(), f"sha256:{HEX}\n", "64"),
    (Sha256(), f"sha256:{HEX}", "64"),
    (Integer(), -1, "between 0"),
    (Integer(), 2**53, "between"),
    (Integer(), True, "whole"),
    (Integer(), 1.0, "whole"),
    (Number(), True, "finite"),
    (Number(), float("nan"), "finite"),
    (Number(), float("inf"), "finite"),
    (Number(0, 100), 100.001, "between 0 and 100"),
    (Flag(), 1, "true or false"),
    (Flag(), "true", "true or false"),
    (Labels(), [], "object"),
    (Labels(), {"a": 1}, "string"),
    (Labels(), {"": "a"}, "empty"),
    (Labels(), {"a": "\n"}, "control"),
    (Labels(2), dict.fromkeys("abc", "x"), "at most 2"),
    (Json(), 2**53, "2^53-1"),
    (Json(), {"a": [-(2**53)]}, "2^53-1"),
    (Json(), 1e17, "2^53-1"),
    (Json(), float("-inf"), "finite"),
    (Json(), "\udfff", "surrogate"),
    (Json(), {"\ud800": 1}, "surrogate"),
    (Json(), {1, 2}, "set"),
]


@pytest.mark.parametrize("rule, value, said", REFUSED)
def test_a_value_that_breaks_its_rule_is_told_what_would_do(rule, value, said):
    """Every rule raises Unfit with words for the sender."""
    with pytest.raises(Unfit, match=re.escape(said)):
        rule.accept(value)


@pytest.mark.parametrize(
    "rule, value",
    [
        (Text(), "registry/app:2.4@sha256:ab #1 \u202e"),
        (Text(200), "é" * 200),
        (Prose(), "# Title\r\n\n\tcode"),
        (Integer(), 2**53 - 1),
        (Number(), -0.5),
        (Number(), 7),
        (Flag(), False),
        (Labels(), {"...": "x", "a": ""}),
        (Json(), {"...": "x", "_type_": None, "a": [1, 2.5, 1e300, True, "\u0000"]}),
        (Due(), "2026-02-28"),
        (Due(), "2026-02-28T10:00:00Z"),
    ],
)
def test_a_value_that_keeps_its_rule_is_kept_exactly(rule, value):
    """Nothing is trimmed, folded or rounded."""
    assert rule.accept(value) == value


def test_digests_are_lower_cased():
    """One artifact has one digest, however a tool spells it."""
    assert Digest().accept(f"SHA256:{HEX.upper()}") == f"sha256:{HEX}"
    assert Sha256().accept(HEX.upper()) == HEX


def test_free_text_is_measured_in_bytes():
    """1 MiB of UTF-8 is kept; one byte more is told to go elsewhere."""
    assert Prose().accept("é" * (MIB // 2))
    with pytest.raises(TooLong, match="evidence"):
        Prose().accept("é" * (MIB // 2) + "a")


def test_a_foreign_payload_is_measured_whole():
    """Many small parts are as large as one large part."""
    assert Json().accept(["a" * 1000] * 1000)
    with pytest.raises(TooLong):
        Json().accept(["a" * 1000] * 1100)


def test_a_payload_may_be_nested_64_levels_deep():
    """A reader with a small stack can still read the record."""

    def nested(levels):
        value = []
        for _ in range(levels - 1):
            value = [value]
        return value

    assert Json().accept(nested(64)) == nested(64)
    with pytest.raises(Unfit, match="64 levels"):
        Json().accept(nested(66))


@settings(deadline=None)
@given(json_values)
def test_any_kept_json_can_be_written_canonically_and_kept_again(value):
    """What comes back out can go in again: an export can be imported."""
    import orjson

    again = orjson.loads(canonical(Json().accept(value)))
    assert again == value
    assert Json().accept(again) == value


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T21:00:00",
        "2026-11-22 21:00:00Z",
        "2026-11-22",
        "2026-11-22T21:00Z",
        "2026-11-22T21:00:00+0100",
        "2026-11-22T21:00:00+01",
        "2026-11-22T21:00:00+01:75",
        "2026-11-22T21:00:00-24:00",
        "2026-11-22T21:00:00.Z",
        "2026-11-22T21:00:00,5Z",
        "2026-11-22T21:00:00Z\n",
        " 2026-11-22T21:00:00Z",
        "2026-02-30T21:00:00Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-11-22T21:00:00Z",
        "1795388400",
        "",
    ],
)
def test_what_is_not_a_moment_is_refused(text):
    """RFC 3339 with an offset, of a day and hour that exist; every other reader must agree on it."""
    with pytest.raises(Unfit):
        Time().accept(text)
    with pytest.raises(Unfit):
        Due().accept(text.replace("2026-11-22", "2026-11-31"))


@pytest.mark.parametrize("value", [None, 1795388400, datetime(2026, 11, 22)])
def test_only_text_is_a_moment(value):
    """A number has no zone."""
    with pytest.raises(Unfit, match="string"):
        Time().accept(value)


def test_moments_are_compared_as_instants():
    """One moment has many spellings; nothing finer than a microsecond is told apart."""
    spellings = ["2026-11-22T20:00:00Z", "2026-11-22t21:00:00.0000009+01:00", "2026-11-22T20:00:00.000000-00:00"]
    assert {instant(each) for each in spellings} == {datetime(2026, 11, 22, 20, tzinfo=UTC)}
    assert [Time().accept(each) for each in spellings] == spellings


@settings(deadline=None)
@given(times())
def test_a_moment_as_a_number_sorts_and_comes_back(text):
    """Microseconds since 1970 lose nothing that an instant keeps."""
    moment = instant(text)
    assert from_microseconds(microseconds(moment)) == moment
    assert instant(rfc3339(moment)) == moment


@settings(deadline=None)
@given(st.text("kind", min_size=1), st.lists(lines, max_size=3), st.lists(lines, max_size=3))
def test_no_two_entities_share_a_stream(kind, one, other):
    """Names may hold slashes and percent signs; stream names stay apart, and hold only unreserved characters."""
    assert (stream_name(kind, *one) == stream_name(kind, *other)) == (one == other)
    assert stream_name(kind, *one).isascii()


def test_a_stream_is_named_for_ever():
    """The spelling is in every leaf; it can't change."""
    assert stream_name("slot", "a/b c~1", "prod%é") == "slot/a%2Fb%20c~1/prod%25%C3%A9"
