"""
Where do the middle and the ninth tenth of some values lie?

By Hyndman and Fan's type 7: the place of a quantile is its share of the way
from the first value to the last, in order; between two values it is taken in
proportion. It is what spreadsheets call PERCENTILE.INC, and the median is the
one that everybody means. Worked out in whole numbers, so that no rounding of
floating point makes two machines differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MEDIAN, NINTH_TENTH = 5, 9
"""In tenths."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """A value, and the places of the one or two values, in order, that it comes from."""

    value: int
    places: tuple[int, ...]


def quantile(values: Sequence[int], tenths: int) -> Quantile | None:
    """
    The quantile of values that are in order, rounded to a whole number (a half
    to the even one); None where there are none.

    Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), definition 7.
    """
    if not values:
        return None
    place, rest = divmod((len(values) - 1) * tenths, 10)
    if rest == 0:
        return Quantile(values[place], (place,))
    return Quantile(_halves_to_even((10 - rest) * values[place] + rest * values[place + 1]), (place, place + 1))


def _halves_to_even(tenfold: int) -> int:
    """A tenth of a whole number, rounded."""
    whole, rest = divmod(tenfold, 10)
    return whole + (rest > 5 or (rest == 5 and whole % 2 == 1))
