"""
Figures over many incidents and deployments as rows: each measure with how many it is of, median and 90th percentile.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.cli import show
from api.report.pictures.times import length

Answer = Mapping[str, Any]
Row = tuple[str, ...]

COLUMNS = ("measure", "n", "missing", "open", "contradictory", "median", "90th percentile", "share")
STYLES = ("bold", None, "yellow", "yellow", "yellow", "cyan", "cyan", "cyan")
RATES = {"change_fail_rate": "failed", "deployment_rework_rate": "rework"}


def columns(answer: Answer) -> tuple[Sequence[str], Sequence[str | None]]:
    """What the columns are called, and their styles; the first is the group, where there are any."""
    by = answer["by"]
    return (COLUMNS, STYLES) if by is None else ((by, *COLUMNS), (None, *STYLES))


def rows(answer: Answer) -> list[Row]:
    """One row a measure, for all together and then for each group."""
    titles = {each["name"]: each["title"] for each in answer["definitions"]}
    found = [tuple(row) for row in _rows(answer, titles)]
    if answer["by"] is None:
        return found
    grouped = [(each["group"] or "not told", row) for each in answer["groups"] for row in _rows(each, titles)]
    return [("all", *row) for row in found] + [(name, *row) for name, row in grouped]


def _rows(figures: Answer, titles: Mapping[str, str]) -> Iterator[Row]:
    for name, each in figures["measures"].items():
        if name == "deployment_frequency":
            yield _counts("Deployments a day", each["days"])
            yield _counts("Deployments a week", each["weeks"])
        elif name in RATES:
            yield _rate(titles[name], each, each[RATES[name]])
        else:
            yield _lengths(titles[name], each)


def _lengths(title: str, each: Answer) -> Row:
    middle = [_length(each[name]) for name in ("median", "p90")]
    counts = [_count(each[name]) for name in ("missing", "open", "contradictory")]
    return (title, str(each["n"]), *counts, *middle, "")


def _length(quantile: Answer | None) -> str:
    return "-" if quantile is None else length(quantile["seconds"])


def _count(number: int) -> str:
    """What is none is not told, so that what is some is seen."""
    return str(number) if number else ""


def _counts(title: str, each: Answer) -> Row:
    middle = ["-" if each[name] is None else f"{each[name]:g}" for name in ("median", "p90")]
    return (title, str(each["n"]), "", "", "", *middle, "")


def _rate(title: str, each: Answer, some: int) -> Row:
    share = "-" if each["ratio"] is None else f"{some} of {each['deployments']} ({100 * each['ratio']:.3g} %)"
    return (title, str(each["deployments"]), "", "", "", "", "", share)


# What was counted, in sentences


def said(answer: Answer) -> Iterator[str]:
    """What the figures are of, and what was left out of them."""
    begin = f"from {show.moment(answer['from'])} " if answer["from"] else "everything "
    yield f"{begin}to {_end(answer)}, days by {answer['zone']}"
    yield from _incidents(answer) if "counted" in answer else _deployments(answer)


def _end(answer: Answer) -> str:
    to = answer["to"]
    return f"{show.moment(answer['as_of'])} and with it" if to is None else show.moment(to)


def _incidents(answer: Answer) -> Iterator[str]:
    aside = [f"{each['n']} {name}" for name, each in answer["left_out"].items() if each["n"]]
    yield f"{show.counted(answer['counted'], 'incident')}, {answer['open']} of them open and told apart"
    yield f"left out: {', '.join(aside) or 'none'}"


def _deployments(answer: Answer) -> Iterator[str]:
    aside = answer["aside"]
    yield (
        f"{show.counted(answer['deployments'], 'deployment')}; beside them {aside['failed']} failed and "
        f"{aside['cancelled']} cancelled attempts, {show.counted(aside['rollback'], 'rollback')}, {aside['repeated']} told twice"
    )
    for counted, word in ((True, "production"), (False, "left out")):
        names = [_environment(each) for each in answer["environments"] if each["counted"] == counted]
        if names or counted:
            yield f"{word}: {', '.join(names) or NO_PRODUCTION}"
    unmatched = len(answer["measures"]["change_fail_rate"]["unmatched"])
    if unmatched:
        yield f"rolled back from or implicated without a recorded deployment: {unmatched}"


NO_PRODUCTION = "none; an admin says which it is by environment.configured with tier production"


def _environment(each: Answer) -> str:
    why = "by its name" if each["tier"] is None else f"tier {each['tier']}"
    return f"{show.plain(each['environment'])} ({why}, {show.counted(each['services'], 'service')})"
