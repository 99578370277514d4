"""Exporting: every event once, in order, and on from where it broke off."""

import json

import pytest

from tests.cli.faulty import Answer

NDJSON = {"Content-Type": "application/x-ndjson"}


def event(position: int) -> bytes:
    return json.dumps({"sequence": position, "type": "metric.observed", "data": {"name": "x"}}).encode() + b"\n"


def page(*positions: int, cut: int = 0) -> Answer:
    return Answer(200, b"".join(event(each) for each in positions), NDJSON, cut=cut)


def test_pages_are_read_until_one_is_empty(lastgood, faulty):
    """A page may be short and not the last; what is written is what came, byte for byte."""
    faulty.answers = [page(1, 2), page(5), page()]
    shown = lastgood("export", "--service", "payments", "--url", faulty.url)
    assert shown.stdout.encode() == event(1) + event(2) + event(5)
    assert [each.path.partition("after=")[2].partition("&")[0] for each in faulty.asked] == ["0", "2", "5"]
    assert all("service=payments" in each.path for each in faulty.asked)
    assert "exported 3 events; the last position is 5" in shown.stderr


def test_an_export_goes_on_after_a_position(lastgood, faulty):
    """For those who keep the position themselves."""
    faulty.answers = [page(8), page()]
    lastgood("export", "--after", "7", "--url", faulty.url)
    assert "after=7" in faulty.asked[0].path


def test_a_file_is_resumed_after_its_last_whole_line(lastgood, faulty, tmp_path):
    """What a crash cut short is taken off first."""
    path = tmp_path / "events.ndjson"
    path.write_bytes(event(1) + event(2) + event(3)[:20])
    faulty.answers = [page(3, 4), page()]
    assert lastgood("export", "-o", path, "--resume", "--url", faulty.url).exit_code == 0
    assert "after=2" in faulty.asked[0].path
    assert path.read_bytes() == b"".join(event(each) for each in (1, 2, 3, 4))


def test_a_resumed_file_may_be_large_or_absent_or_empty(lastgood, faulty, tmp_path):
    """Only its end is read; without one, all is exported."""
    path = tmp_path / "events.ndjson"
    large = json.dumps({"sequence": 9, "data": {"text": "x" * 200_000}}).encode() + b"\n"
    for content, after in ((event(8) + large, 9), (large, 9), (b"", 0), (b'{"sequence": 1', 0), (None, 0)):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        faulty.asked.clear()
        faulty.answers = [page()]
        assert lastgood("export", "-o", path, "--resume", "--url", faulty.url).exit_code == 0
        assert f"after={after}&" in faulty.asked[0].path


def test_a_reply_that_breaks_off_is_an_error_and_can_be_resumed(lastgood, faulty, tmp_path):
    """Whole lines stay; the exit code says that it is not all."""
    path = tmp_path / "events.ndjson"
    faulty.answers = [page(1, 2, cut=50)]
    assert lastgood("export", "-o", path, "--url", faulty.url).exit_code == 7
    assert path.read_bytes() == event(1) + event(2)
    faulty.asked.clear()
    faulty.answers = [page(3), page()]
    assert lastgood("export", "-o", path, "--resume", "--url", faulty.url).exit_code == 0
    assert path.read_bytes() == event(1) + event(2) + event(3)


def test_a_file_of_something_else_is_not_touched(lastgood, faulty, tmp_path):
    """Exit 3, and no request."""
    path = tmp_path / "notes.txt"
    path.write_text("one\ntwo\n")
    assert lastgood("export", "-o", path, "--resume", "--url", faulty.url).exit_code == 3
    assert path.read_text() == "one\ntwo\n"
    assert faulty.asked == []


@pytest.mark.parametrize("flags", [["--resume"], ["--resume", "-o", "file", "--after", "3"]])
def test_resume_goes_with_a_file_alone(lastgood, flags):
    """Wrong usage."""
    assert lastgood("export", *flags).exit_code == 2
