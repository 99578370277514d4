"""Canonical JSON: the fast path writes the bytes of the slow, obvious one."""

import pathlib

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import canonical as module
from ledger.canonical import canonical
from tests.strategies import json_values

VECTORS = pathlib.Path(__file__).parents[2] / "../shared/vectors/jcs/testdata"
CASES = sorted(path.name for path in (VECTORS / "input").glob("*.json"))

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.text(
    "ab_\x7f\x80\uffff\U00010000", max_size=3
)
any_json = st.recursive(
    json_values | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6) | st.tuples(inner, inner),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None)
@given(any_json)
def test_the_fast_path_is_the_slow_one(value):
    """Whatever the guard lets through to orjson, rfc8785 writes alike."""
    assert canonical(value) == rfc8785.dumps(value)


@settings(max_examples=500, deadline=None)
@given(any_json)
def test_canonical_bytes_are_canonical(value):
    """Written, read and written again: the same bytes."""
    written = canonical(value)
    if not _has_large_whole_float(value):
        assert canonical(orjson.loads(written)) == written


def _has_large_whole_float(value):
    match value:
        case float():
            return 2**53 <= abs(value) < 1e21
        case list() | tuple():
            return any(map(_has_large_whole_float, value))
        case dict():
            return any(map(_has_large_whole_float, value.values()))
    return False


@pytest.mark.parametrize(
    "value, quick",
    [
        ({"a": "é", "b": [1, None, True]}, True),
        ({"é": 1}, False),
        ({"a": {"\U0001f680": 1, "\ufb33": 2}}, False),
        ([1.5], False),
        (2**53 - 1, True),
        (2**53, False),
        ((1, "a"), True),
    ],
)
def test_the_guard_lets_through_only_what_it_knows(value, quick):
    """Names beyond ASCII, floats and large integers take the slow path."""
    assert module._plain(value) is quick


def test_the_guard_is_needed():
    """orjson alone sorts by UTF-8 and prints floats its own way; without this the guard could go."""
    by_utf8 = orjson.dumps({"\U0001f680": 1, "\ufb33": 2}, option=orjson.OPT_SORT_KEYS)
    assert canonical({"\U0001f680": 1, "\ufb33": 2}) != by_utf8
    assert canonical([1e16, 1.0]) == b"[10000000000000000,1]"
    assert orjson.dumps([1e16, 1.0]) != b"[10000000000000000,1]"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", {"\udc00": 1}, object()])
def test_what_json_cannot_say_is_refused(value):
    """Rather an error than bytes that nobody else would write."""
    with pytest.raises((ValueError, TypeError)):
        canonical(value)


@pytest.mark.skipif(not CASES, reason="the JCS vectors lie in ../shared, which is not here")
@pytest.mark.parametrize("name", CASES or ["absent"])
def test_the_vectors_of_the_specification(name):
    """The cases that the author of RFC 8785 publishes."""
    value = orjson.loads((VECTORS / "input" / name).read_bytes())
    assert canonical(value) == (VECTORS / "output" / name).read_bytes()
    written = bytes.fromhex((VECTORS / "outhex" / name).with_suffix(".txt").read_text())
    assert canonical(value) == written
