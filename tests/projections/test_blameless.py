"""Gentle wording help: about people, never about systems, never about other people's words."""

import time

import pytest

from projections.blameless import MOST, lint


def phrases(text, people=()):
    return [each.phrase for each in lint(text, people)]


@pytest.mark.parametrize(
    "text,phrase",
    [
        ("The root cause was human error.", "human error"),
        ("It was operator error", "operator error"),
        ("A careless change to the limits.", "careless"),
        ("This was negligent.", "negligent"),
        ("We blame the deployment.", "blame"),
        ("It was his fault.", "his fault"),
        ("It was the team's fault.", "team's fault"),
        ("The engineer was at fault.", "at fault"),
        ("A mistake in the runbook step.", "mistake"),
        ("The switch was just forgotten.", "just forgotten"),
        ("Obviously the limit was too low.", "Obviously"),
        ("Anyone would have seen that.", "Anyone would have"),
        ("We should have tested it.", "should have"),
        ("They should've waited.", "should've"),
        ("The change should have been reviewed.", "should have been reviewed"),
        ("The on-call engineer failed to notice it.", "failed to"),
        ("The engineer on call failed to notice it.", "failed to"),
        ("The payments team failed to communicate.", "failed to"),
        ("The release manager failed to check.", "failed to"),
        ("One of the engineers failed to check.", "failed to"),
        ("Nobody on duty had noticed and we also failed to look.", "failed to"),
        ("We deployed on Friday and failed to look at the graphs.", "failed to"),
        ("The engineer who deployed it failed to look.", "failed to"),
        ("The responders never really failed to answer", "failed to"),
        ("The team that owns search failed to renew it.", "failed to"),
        ("The operator (a new one) failed to confirm it.", "failed to"),
        ("She ignored the alert.", "ignored"),
        ("The operator overlooked the warning.", "overlooked"),
        ("They didn't bother to look.", "didn't bother to"),
        ("FAILED TO is no better: I FAILED TO look", "FAILED TO"),
    ],
)
def test_words_that_blame_are_found(text, phrase):
    """Each with why, and a better way to put it."""
    (found,) = lint(text)
    assert found.phrase == phrase
    assert found.why
    assert found.instead


@pytest.mark.parametrize(
    "text",
    [
        "The pod failed to start.",
        "Pods failed to start and failed to stop.",
        "The alert should have fired after a minute.",
        "The engineer's laptop failed to boot.",
        "The laptop of the engineer failed to boot.",
        "The package manager failed to resolve it.",
        "The Prometheus operator failed to reconcile.",
        "Checkout requests failed to reach the team's queue.",
        "Fault tolerance, page faults and a segmentation fault; the default.",
        "The database was at fault.",
        "This is a blameless review; `git blame` shows the line, and so does git blame.",
        "The script ignored the flag.",
        "Of coursework there was none.",
        "We restarted the node, and it failed to come back.",
        "We restarted the node. Failed to come back, it was replaced.",
        "Users were shown an error, and failed to log in.",
        "Nobody was at fault, no one is at fault; it is nobody's fault, and no blame is meant.",
        "The alert that the team muted failed to fire.",
        "",
        "\n\n\n",
    ],
)
def test_what_systems_do_is_fine(text):
    """And so are words that only look alike."""
    assert phrases(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "The log said `engineer failed to notice`.",
        "``we should have ` tested`` is code",
        "```\nwe should have tested\n```",
        "~~~text\nhuman error\n~~~\n",
        "```\nhuman error, and the fence never ends",
        "> We should have tested it.",
        'He said "it was my mistake" in chat.',
        "He said \u201cwe should have tested it\u201d.",
        "He said 'it was my mistake' in chat.",
        "[the review](https://example.com/human-error/mistake) and https://example.com/mistake",
        "<!-- human error --> and <https://example.com/mistake>",
    ],
)
def test_other_peoples_words_are_left_alone(text):
    """Code, quotations, addresses."""
    assert phrases(text) == []


def test_an_apostrophe_begins_no_quotation():
    """It's a part of a word."""
    assert phrases("It's clear that we should have tested, wasn't it?") == ["should have"]


def test_names_that_are_known_stand_for_people():
    """A name is told from a system only by who was there."""
    text = "Ada failed to look. Ada Lovelace failed to look. Redis failed to start."
    assert phrases(text) == []
    assert phrases(text, ["Ada Lovelace <ada@example.com>"]) == ["failed to", "failed to"]
    assert phrases("ben failed to look; it was Ben's fault", ["ben"]) == ["failed to", "Ben's fault"]


def test_lines_and_columns_count_from_one():
    """Also where a phrase is parted by the end of a line, after long ones, and after what is left alone."""
    text = "# Caf\u00e9\n\n`code` \U0001f525 human\nerror was it.\n- we should have"
    assert [(each.line, each.column, each.phrase) for each in lint(text)] == [
        (3, 10, "human error"),
        (5, 6, "should have"),
    ]


def test_a_phrase_is_told_once():
    """The longest of those that begin together."""
    assert phrases("We should have been more careful; they just forgot.") == [
        "should have been more careful",
        "just forgot",
    ]


def test_a_heading_or_an_item_begins_anew():
    """What the line before was about is not its subject."""
    assert phrases("- asked the team\n- failed to start") == []
    assert phrases("# The team\n\nfailed to start") == []


def test_there_is_an_end_to_advice():
    """Who got a hundred pieces of it needs no more."""
    assert len(lint("We should have tested. " * 300)) == MOST


def test_long_texts_take_no_long_time():
    """A megabyte without ends, quotes or blanks is looked through in seconds."""
    began = time.perf_counter()
    for text in (
        "we should have " * 60_000,
        "`" * 300_000,
        "a" * 1_000_000,
        '"' * 300_000,
        "<" * 300_000,
        "> x\n" * 99_999,
    ):
        lint(text)
    assert time.perf_counter() - began < 60
