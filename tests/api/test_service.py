"""What a server holds: one a folder, news of what was recorded, and an end that loses nothing."""

import threading
import time

import pytest

from api.access import LOCAL_ADMIN, directly
from api.config import Settings
from api.service import FolderLock, News, open_service
from api.tokens import Tokens
from ledger.application import Ledger
from ledger.codec import Draft
from ledger.deciding import Command
from ledger.errors import FolderInUse
from ledger.events import DeploymentSucceeded
from ledger.writer import WriterStopped

DRAFT = Draft(DeploymentSucceeded(deployment_id="d", service="s", environment="e", version="1"))


@pytest.fixture
def held(tmp_path):
    opened = open_service(Settings(data=tmp_path / "data"))
    yield opened
    opened.stop_waiting()


def deployment(held):
    _, principal = held.tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    return Command(principal, [held.ledger.prepare(DRAFT, principal)])


def test_a_folder_is_held_by_one(tmp_path):
    """And by the next as soon as it is let go."""
    lock = FolderLock(tmp_path)
    with pytest.raises(FolderInUse):
        FolderLock(tmp_path)
    lock.release()
    FolderLock(tmp_path).release()


def test_a_folder_is_made_for_its_owner_alone(tmp_path):
    """Names of people will be in it."""
    FolderLock(tmp_path / "a" / "b").release()
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_service_that_was_closed_leaves_the_folder_to_the_next(tmp_path):
    """All files are closed by then."""
    for _ in range(2):
        open_service(Settings(data=tmp_path)).close()


def test_what_was_handed_in_before_the_end_is_durable_after_it(held):
    """The writer finishes first; what comes later is told to come again."""
    command = deployment(held)
    outcome = held.writer.submit(command)
    held.close()
    (receipt,) = outcome.result(0)
    with Ledger(held.settings.data) as ledger:
        assert ledger.head() == receipt.position
    with pytest.raises(WriterStopped):
        held.writer.append(command)


def waiting(news, position, timeout_s=30.0):
    """A thread that waits, and what it will have heard."""
    heard = []
    begun = time.monotonic()
    thread = threading.Thread(
        target=lambda: heard.append((news.wait_beyond(position, timeout_s), time.monotonic() - begun))
    )
    thread.start()
    return thread, heard


def test_who_waits_hears_of_what_this_process_recorded(held):
    """At once: the writer wakes them."""
    command = deployment(held)
    head = held.ledger.head()
    thread, heard = waiting(held.news, head)
    held.writer.append(command)
    thread.join(30)
    assert heard[0][0] == head + 1


def test_who_waits_hears_of_what_another_process_recorded(held):
    """Within half a second or so, since nobody wakes them."""
    thread, heard = waiting(held.news, held.ledger.head())
    with Ledger(held.settings.data) as other:
        tokens = Tokens(other, directly(other))
        tokens.create("late", ["auditor"], LOCAL_ADMIN)
        tokens.close()
    thread.join(30)
    assert heard[0][0] == 1
    assert heard[0][1] < 10


def test_who_waits_for_what_is_there_already_waits_not_at_all():
    """Nor when there is no time to wait."""
    news = News(lambda: 7)
    assert news.wait_beyond(6, 30) == 7
    assert news.wait_beyond(7, 0) == 7


def test_nobody_waits_when_the_server_stops():
    """However long they were ready to."""
    news = News(lambda: 7)
    thread, heard = waiting(news, 7)
    news.close()
    thread.join(30)
    assert heard[0][0] == 7
    assert news.wait_beyond(7, 30) == 7
