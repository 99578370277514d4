"""
Figures over many incidents and deployments as a picture: each length a dot, with median and 90th percentile.

Only lengths of time are drawn; ratios and counts are told in the table. One row
a measure; where figures are grouped, then one for each group that has values.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from api.report.pictures import dots
from api.report.pictures.canvas import Drawing

Answer = Mapping[str, Any]


def drawing(answers: Iterable[Answer]) -> Drawing:
    """The lengths of all *answers*, as the ledger gives them, on one scale."""
    return dots.draw([row for each in answers for row in _rows(each)])


def _rows(answer: Answer) -> Iterator[dots.Group]:
    for each in answer["definitions"]:
        if each["unit"] == "seconds":
            yield _row(each["title"], answer["measures"][each["name"]])
            for group in answer["groups"]:
                found = group["measures"][each["name"]]
                if found["n"]:
                    yield _row(f"{group['group'] or 'not told'}: {each['title']}", found)


def _row(title: str, found: Answer) -> dots.Group:
    return dots.Group(
        title=title,
        values=_seconds(found["values"]),
        median=_middle(found["median"]),
        p90=_middle(found["p90"]),
        missing=found["missing"],
        open=found["open"],
    )


def _seconds(values: Sequence[Answer]) -> list[float]:
    return [each["seconds"] for each in values]


def _middle(quantile: Answer | None) -> float | None:
    return None if quantile is None else quantile["seconds"]
