"""
Words that stand for flags: `incident note INC-7 "it is the cache"` instead of `--incident INC-7 --text ...`.

Whatever a flag gives, the words are what is left, in order.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Way(NamedTuple):
    """How an event is typed, and the members that words stand for."""

    topic: str
    words: str = "incident"


def argument(way: Way) -> click.Argument:
    """The words of a verb, as its help has them."""
    return click.Argument(["words"], nargs=-1, metavar=" ".join(f"[{each.upper()}]" for each in way.words.split()))


def read(way: Way, words: tuple[str, ...], flags: Mapping[str, Any]) -> dict[str, Any]:
    """The members that words stand for, those left out that a flag gives."""
    open_ = [each for each in way.words.split() if flags.get(each) in (None, ())]
    if len(words) > len(open_):
        raise click.UsageError(f"too many words: {' '.join(words[len(open_) :])} (quote what belongs together)")
    context = click.get_current_context()
    params = {each.name: each for each in context.command.params}
    return {member: params[member].type_cast_value(context, word) for member, word in zip(open_, words, strict=False)}
