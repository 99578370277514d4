"""The median and the 90th percentile: by hand, and against the plain definition."""

import statistics
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from projections.quantiles import MEDIAN, NINTH_TENTH, Quantile, quantile

values = st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=40).map(sorted)


def test_of_nothing_there_is_none():
    """Never zero."""
    assert quantile([], MEDIAN) is None
    assert quantile([], NINTH_TENTH) is None


@pytest.mark.parametrize(
    "given_, median, ninth",
    [
        ([7], Quantile(7, (0,)), Quantile(7, (0,))),
        ([10, 20], Quantile(15, (0, 1)), Quantile(19, (0, 1))),
        ([10, 20, 90], Quantile(20, (1,)), Quantile(76, (1, 2))),
        ([0, 10, 20, 30], Quantile(15, (1, 2)), Quantile(27, (2, 3))),
        ([-60, 0, 60], Quantile(0, (1,)), Quantile(48, (1, 2))),
        (list(range(11)), Quantile(5, (5,)), Quantile(9, (9,))),
    ],
)
def test_worked_out_by_hand(given_, median, ninth):
    """Half of the way and nine tenths of the way from the first to the last."""
    assert (quantile(given_, MEDIAN), quantile(given_, NINTH_TENTH)) == (median, ninth)


@pytest.mark.parametrize("given_, median", [([0, 1], 0), ([1, 2], 2), ([-1, 0], 0), ([-2, -1], -2), ([-3, -2], -2)])
def test_a_half_goes_to_the_even_number(given_, median):
    """So that rounding leans neither way."""
    assert quantile(given_, MEDIAN).value == median


@given(values)
def test_the_median_is_the_one_that_everybody_means(drawn):
    """As the standard library has it."""
    assert quantile(drawn, MEDIAN).value == round(Fraction(statistics.median(map(Fraction, drawn))))


@given(values)
def test_the_ninth_tenth_is_the_one_of_the_standard_library(drawn):
    """Its inclusive deciles are the same definition."""
    assume(len(drawn) > 1)
    deciles = statistics.quantiles(map(Fraction, drawn), n=10, method="inclusive")
    assert quantile(drawn, NINTH_TENTH).value == round(deciles[8])


@given(values, st.sampled_from([MEDIAN, NINTH_TENTH]))
def test_a_quantile_lies_between_the_values_that_it_names(drawn, tenths):
    """And so is never beyond what was measured."""
    found = quantile(drawn, tenths)
    first, last = found.places[0], found.places[-1]
    assert drawn[first] <= found.value <= drawn[last]
    assert last - first == len(found.places) - 1
