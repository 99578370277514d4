"""Which row a label goes to, so that none touches another."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

Interval = tuple[float, float]


@dataclass(slots=True)
class Rows:
    """Rows of intervals that never overlap; at most *most* of them."""

    most: int
    blocked: list[Interval] = field(default_factory=list)
    """Intervals that are free in no row, from left to right."""
    taken: list[list[Interval]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.taken)

    def is_free(self, row: int, left: float, right: float) -> bool:
        if row >= self.most:
            return False
        found = self.taken[row] if row < len(self.taken) else self.blocked
        place = bisect_left(found, (right, right))
        return place == 0 or found[place - 1][1] <= left

    def place(self, left: float, right: float, *, clear: float | None = None) -> int | None:
        """
        The highest row where this interval is free, now taken; None if there is none.

        With *clear*, only a row that a line from above reaches at that x; the line takes its place in the rows above.
        """
        for row in range(min(len(self.taken) + 1, self.most)):
            if self.is_free(row, left, right):
                self._take(row, (left, right))
                if clear is not None:
                    self._cross(row, clear)
                return row
            if clear is not None and not self.is_free(row, clear - 1, clear + 1):
                return None
        return None

    def _cross(self, below: int, x: float) -> None:
        for row in self.taken[:below]:
            insort(row, (x - 1, x + 1))

    def _take(self, row: int, interval: Interval) -> None:
        if row == len(self.taken):
            self.taken.append(list(self.blocked))
        insort(self.taken[row], interval)
