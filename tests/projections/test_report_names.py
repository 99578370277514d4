"""Names are found in free text however they are written, and what is no name stays."""

import re
import time
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.report_names import Names, forms

ADA = {"Ada Byron": "commander", "person-ada": "commander", "bob@example.org": "scribe"}


def hidden(text, **more):
    return Names(ADA | more).hidden(text)


@pytest.mark.parametrize(
    "text, instead",
    [
        ("Ada Byron rolled back", "the commander rolled back"),
        ("ada byron rolled back", "the commander rolled back"),
        ("Ada's decision", "the commander's decision"),
        ("asked BYRON, then ada", "asked the commander, then the commander"),
        ("see ada.byron and AdaByron and @ada_byron", "see the commander and the commander and @the commander"),
        ("_Ada_ **Byron** said", "_the commander_ **the commander** said"),
        ("Ada\u00a0Byron, Byron, Ada", "the commander, the commander, the commander"),
        ("by person-ada", "by the commander"),
        ("told bob@example.org", "told the scribe"),
        ("Bob knew", "the scribe knew"),
        ("person-ada", "commander"),
    ],
)
def test_a_name_is_found_however_it_is_written(text, instead):
    """Whole, in parts, in any case, with anything between its parts; a text that is nothing else is the role itself."""
    assert hidden(text) == instead


@pytest.mark.parametrize("text", ["Canada", "bobsled", "adamant", "a person", "byronic", "2026-03-02T09:40:00Z", ""])
def test_a_name_within_a_word_is_none(text):
    """Whole words alone are replaced."""
    assert hidden(text) == text


def test_parts_that_are_ordinary_words_are_found_with_a_capital_alone():
    """Else a report about Will Page would speak of the page that the commander load."""
    names = Names({"Will Page": "commander"})
    assert names.hidden("the page will load") == "the page will load"
    assert names.hidden("Will saw it, WILL PAGE too") == "the commander saw it, the commander too"
    assert names.hidden("will page") == "commander"


@pytest.mark.parametrize("name", ["the on-call engineer", "team", "SRE", "Release Manager", "support", "x"])
def test_who_is_called_by_a_word_of_the_trade_has_no_name(name):
    """Else every release and every customer would be somebody."""
    names = Names({name: "commander"})
    text = f"the release was told to support by the on-call SRE team of the engineer x, {name}"
    assert names.hidden(text) == text


def test_a_team_that_is_called_like_its_service_has_no_name():
    """Else nobody could tell any more what was out of order."""
    names = Names(
        {"payments": "owner", "Payments Team": "owner", "Ada Payments": "author"}, ["payments", "ada-sandbox"]
    )
    assert (
        names.hidden("payments was down; the payments team, payments")
        == "payments was down; the payments team, payments"
    )
    assert names.hidden("Ada and Ada Payments, of payments") == "the author and the author, of payments"


def test_a_name_of_two_ways_to_write_it_is_found_in_both():
    """Composed and decomposed letters are the same name."""
    names = Names({"Jos\u00e9 N\u00fa\u00f1ez": "responder"})
    assert names.hidden("ask Jose\u0301 Nu\u0301n\u0303ez") == "ask the responder"


def test_what_was_put_in_is_not_replaced_again():
    """One is called as the role of another."""
    names = Names({"Ada Byron": "zoe", "zoe": "scribe"})
    assert names.hidden("Ada Byron and zoe") == "the zoe and the scribe"


def test_the_longest_name_goes_first():
    """Two share a part."""
    names = Names({"Ada Byron": "commander", "Ada Byron King": "scribe"})
    assert names.hidden("Ada Byron King and Ada Byron") == "the scribe and the commander"


def test_both_parts_of_a_name_with_an_address_are_found():
    """As version control has authors."""
    names = Names({"Chi Lee <chi.lee@example.org>": "author"})
    assert names.hidden("chi.lee@example.org") == "author"
    assert names.hidden("by Chi, by LEE, by chi.lee") == "by the author, by the author, by the author"


def test_ids_are_found_whole_and_never_in_parts():
    """The pipeline of an id is everybody's."""
    names = Names({"pipeline-1": "automation", "github:acme/web": "automation"})
    assert names.hidden("the pipeline of acme, run by pipeline-1") == "the pipeline of acme, run by the automation"
    assert names.hidden("by github:acme/web") == "by the automation"


def test_ways_to_reach_somebody_are_found():
    """A telephone number is found by its groups of digits; marks alone are no name."""
    names = Names({"+31 20 555 0100": "contact", "***": "contact"})
    assert names.hidden("call 31 20-5550100, 31-20-555-0100 or ***") == "call the contact, the contact or ***"


def test_nobody_known_changes_nothing():
    """Of an incident that machines alone told of."""
    assert Names({}).hidden("Ada") == "Ada"


@given(st.lists(st.text(min_size=1, max_size=30), max_size=5), st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_no_name_is_left_whatever_it_is_and_whatever_stands_around_it(given, around):
    """Where a name has a letter or digit, is longer than one, and is no word of the trade."""
    names = Names(dict.fromkeys(given, "\u2205"))
    for each in given:
        for form in forms(each):
            left = names.hidden(f"({form})".join(around))
            assert not re.search(rf"(?<![^\W_]){re.escape(normalize('NFC', form))}(?![^\W_])", left)


def test_a_long_name_that_is_not_there_is_soon_known_not_to_be():
    """No way to write a name is tried twice."""
    names = Names({" ".join("a" * 150) + " b": "responder"})
    text = " ".join("a" * 10_000)
    began = time.process_time()
    assert names.hidden(text) == text
    assert time.process_time() - began < 2
