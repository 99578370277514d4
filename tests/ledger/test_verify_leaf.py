"""The quick look at rows says yes only where the close look finds nothing."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.verify_leaf import UNREADABLE, Words, are_canonical, closely, quickly, words_of
from tests.ledger.record_scene import database_tools, told

WHO = json.dumps({"id": "a", "kind": "human", "method": "token"}, separators=(",", ":")).encode()


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """One of each kind that is looked at differently."""
    folder = tmp_path_factory.mktemp("leaf") / "data"
    with told(folder):
        pass
    with database_tools(folder, guarded=True) as database:
        events = database.execute("SELECT position, stream, revision, type, source, id, leaf FROM events").fetchall()
        words = database.execute("SELECT position, member, disclosure FROM disclosures").fetchall()
    return events, words


@dataclass
class Spoilt:
    """Rows and words to which something was done."""

    rows: list = field(default_factory=list)
    words: list = field(default_factory=list)


names = st.sampled_from(["/author", "/reason", "/text", "/evidence/0/label", "/evidence/1/label", "/title", "x", ""])


@st.composite
def spoilt(draw, rows):
    """Up to three changes: of bytes, of columns, of words, of who has which words."""
    made = Spoilt(*map(list, rows))
    for _ in range(draw(st.integers(0, 3))):
        index, other = (draw(st.integers(0, len(made.rows) - 1)) for _ in range(2))
        row = list(made.rows[index])
        what = draw(st.sampled_from(["byte", "column", "leaf", "word", "path", "swap", "gone", "twice"]))
        if what == "byte":
            leaf = bytearray(row[6])
            leaf[draw(st.integers(0, len(leaf) - 1))] = draw(st.integers(0, 255))
            row[6] = bytes(leaf)
        elif what == "column":
            row[draw(st.integers(0, 5))] = draw(st.sampled_from([*made.rows[other][:6], None, 1, "", b"x"]))
        elif what == "leaf":
            row[6] = draw(
                st.sampled_from([made.rows[other][6], b"", b"{}", row[6] + b"\n", row[6] * 2, "text", None, 7])
            )
        elif made.words:
            _spoil_word(draw, made.words, what)
        made.rows[index] = tuple(row)
    return made


def _spoil_word(draw, words, what):
    index, other = (draw(st.integers(0, len(words) - 1)) for _ in range(2))
    (position, path, text), (elsewhere, _, others) = words[index], words[other]
    words[index] = {
        "word": (position, path, draw(st.sampled_from([text + "A", others, "", text[1:]]))),
        "path": (position, draw(names), text),
        "swap": (elsewhere, path, text),
        "gone": (0, path, text),
        "twice": words[other],
    }[what]


def faults(row, words):
    """What the close look tells of a row."""
    try:
        _, found = closely(row)
        committed = words_of(row, words.of(row[0]))
    except UNREADABLE as error:
        return [repr(error)]
    return [*found, *committed.wrong, *committed.wordless]


@given(st.data())
def test_a_quick_yes_is_exact(rows, data):
    """Whatever was done to rows and words."""
    made = data.draw(spoilt(rows))
    words = Words(made.words)
    found = quickly(made.rows, words)
    if found is None:
        return
    for row in made.rows:
        assert row in found.aside or faults(row, words) == [] or not are_canonical([row[6]])


def test_all_rows_pass_that_nobody_touched(rows):
    """But those whose words take a closer look, which finds nothing: labels, redacted ones, redactions."""
    events, words = rows
    found = quickly(events, Words(words))
    assert [row[0] for row in found.aside] == [3, 6, 9]
    assert [faults(row, Words(words)) for row in found.aside] == [[], ["/text"], []]
    assert len(found.times) == 12


def leaf(data):
    return (
        b'{"data":%b,"dataschema":"urn:lastgood:event:t:1","format":1,"id":"i","position":1,'
        b'"recordedtime":"2026-11-22T20:00:00.000000Z","revision":1,"source":"s","stream":"r","submitter":%b,'
        b'"time":"2026-11-22T20:00:00Z","type":"t"}' % (data, WHO)
    )


def row(data):
    return (1, "r", 1, "t", "s", "i", leaf(data))


AUTHOR, REASON = "WyJhIiwiYXV0aG9yIiwiYSJd", "WyJhIiwicmVhc29uIiwiciJd"


def test_a_path_that_holds_half_a_leaf_stands_for_no_other_word():
    """The words of /author are gone, and a path was made up that spells its commitment."""
    from ledger.verify import commitment

    author, reason = commitment(AUTHOR), commitment(REASON)
    data = b'{"author":{"...":"%b"},"reason":{"...":"%b"}}' % (author.encode(), reason.encode())
    whole = Words([(1, "/author", AUTHOR), (1, "/reason", REASON)])
    assert quickly([row(data)], whole).aside == []
    forged = Words([(1, f'/author":{{"...":"{author}"}},"reason', REASON), (1, "/reason", REASON)])
    assert quickly([row(data)], forged).aside == [row(data)]
    twice = Words([(1, "/reason", REASON), (1, "/reason", REASON)])
    assert quickly([row(data)], twice).aside == [row(data)]


def test_two_leaves_in_one_and_none_in_another_are_not_two():
    """As many lines as there are rows, and each of another row."""
    one, other = row(b"{}"), (2, *row(b"{}")[1:6], leaf(b"{}").replace(b'"position":1', b'"position":2'))
    assert quickly([one, other], Words()) is not None
    assert quickly([(*one[:6], one[6] + b"\n" + other[6]), (*other[:6], b"")], Words()) is None
    assert quickly([(*one[:6], one[6] + b"\n" + other[6]), (*other[:6], b" ")], Words()) is None


@pytest.mark.parametrize(
    "given,canonical",
    [
        (b'{"a":"b"}', True),
        (b'{"a": "b"}', False),
        (b'{"b":1,"a":1}', False),
        (b'{"a":1,"a":1}', False),
        (b'{"a":"\\u0062"}', False),
        (b'{"a":"\\/"}', False),
        (b'{"a":1.0}', False),
        (b'{"a":-0}', False),
        (b'{"a":"\xc3\xa9"}', False),
    ],
)
def test_a_quick_yes_to_the_form_is_exact(given, canonical):
    """Floats and what isn't ASCII take a closer look, which may find nothing."""
    assert are_canonical([leaf(given)]) is canonical
