"""The leaves of the record, in order and none left out."""

import pytest

from ledger.application import READ_AT_ONCE
from ledger.errors import Damaged
from ledger.events import DeploymentSucceeded
from ledger.leaves import Leaves
from tests.ledger.scene import append


def record(ledger, count):
    append(
        ledger,
        *(
            DeploymentSucceeded(deployment_id=f"d{number}", service="s", environment="e", version="1")
            for number in range(count)
        ),
    )


def test_leaves_are_the_stored_bytes_in_order(ledger):
    """Over more than one portion, and any part of them."""
    record(ledger, READ_AT_ONCE + 10)
    leaves, rows = Leaves(ledger), [row.state for row in ledger.rows()]
    assert leaves.head() == len(rows)
    for after, until in ((0, len(rows)), (0, 0), (0, 1), (READ_AT_ONCE - 1, READ_AT_ONCE + 2), (7, len(rows))):
        assert list(leaves.leaves(after, until)) == rows[after:until]


def test_other_readers_get_rows_as_before(ledger):
    """Leaves are read as bare tuples, on connections that others use too."""
    record(ledger, 3)
    for _ in range(40):
        list(Leaves(ledger).leaves(0, 3))
        assert [row.position for row in ledger.rows()] == [1, 2, 3]


@pytest.mark.parametrize("gone", [1, 5, 10])
def test_a_missing_event_is_never_skipped(ledger, gone):
    """A log over the others would say that they were all."""
    record(ledger, 10)
    with ledger.store.writing() as cursor:
        cursor.execute("DROP TRIGGER events_no_delete")
        cursor.execute("DELETE FROM events WHERE position = ?", [gone])
    with pytest.raises(Damaged, match="between positions 1 and 10 is gone"):
        list(Leaves(ledger).leaves(0, 10))
