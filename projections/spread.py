"""
Many lengths of time as readers get them: how many, their median and 90th percentile, and each by itself.

Never a mean, which one long night would bend, and never a figure without the
values that it comes from. A value that is below zero contradicts itself: it is
counted, marked and left where it is, since to leave it out would be to choose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projections import spans
from projections.measures import Measure
from projections.quantiles import MEDIAN, NINTH_TENTH, quantile


@dataclass(frozen=True, slots=True)
class Value:
    """One length: its two times, and what it is of."""

    of: Mapping[str, Any]
    measure: Measure

    @property
    def length(self) -> int:
        return self.measure.microseconds or 0

    @property
    def positions(self) -> tuple[int, int]:
        """The positions of its two times."""
        start, end = self.measure.start, self.measure.end
        return (0 if start is None else start[1], 0 if end is None else end[1])

    def json(self) -> dict[str, Any]:
        """`contradictory` is a length below zero; false where there is none."""
        length = self.measure.microseconds
        return {**self.of, **self.measure.json(), "contradictory": length is not None and length < 0}


def spread(known: Sequence[Value], missing: Sequence[Value], going_on: Sequence[Value]) -> dict[str, Any]:
    """
    Lengths that are known, those of which a time is missing, and apart from
    both those that may still change since what they are of goes on.
    """
    ordered = sorted(known, key=lambda each: (each.length, each.positions))
    return {
        "n": len(known),
        "missing": len(missing),
        "open": len(going_on),
        "contradictory": sum(each.length < 0 for each in known),
        "median": _quantile(ordered, MEDIAN),
        "p90": _quantile(ordered, NINTH_TENTH),
        "values": [each.json() for each in ordered],
        "missing_of": [each.json() for each in missing],
        "open_of": [each.json() for each in going_on],
    }


def _quantile(ordered: Sequence[Value], tenths: int) -> dict[str, Any] | None:
    """A quantile, with the positions of the one or two values that it comes from."""
    found = quantile([each.length for each in ordered], tenths)
    if found is None:
        return None
    positions = [position for place in found.places for position in ordered[place].positions]
    return {"seconds": spans.seconds(found.value), "positions": positions}
