"""`lastgood demo`: a story to look at, and never in a record that is real."""

import stat
import subprocess

from tests.server import LASTGOOD, environment


def demo(folder):
    return subprocess.run(
        [LASTGOOD, "demo"], capture_output=True, text=True, env=environment(data=str(folder)), check=False
    )


def test_the_story_is_told_once(tmp_path):
    """A second time adds nothing."""
    first, second = demo(tmp_path / "data"), demo(tmp_path / "data")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "events recorded" in first.stderr
    assert "already" in second.stderr


def test_a_real_record_is_not_mixed_with_a_story(fresh_server):
    """What is recorded can never be removed."""
    slot = {"service": "s", "environment": "e", "version": "1", "deployment_id": "d"}
    fresh_server.client("pipeline").append({"type": "deployment.succeeded", "data": slot})
    refused = demo(fresh_server.data)
    assert refused.returncode == 5
    assert "real events" in refused.stderr
    assert len(fresh_server.client("auditor").get("/v1/slots").json()["items"]) == 1


def test_every_file_is_its_owners_alone(tmp_path):
    """Also where the folder was there before, with other rights."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    assert demo(folder).returncode == 0
    files = [each for each in folder.rglob("*") if each.is_file() and each.name != "vkeys"]  # public keys
    assert files
    assert [each for each in files if stat.S_IMODE(each.stat().st_mode) & 0o077] == []
