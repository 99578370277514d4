"""The score of rollback targets against what operators did, on a history small enough to count by hand."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def deployed(number, version):
    data = {"deployment_id": f"d{number}", "service": "web", "environment": "production", "version": version}
    time = f"2026-03-02T{number + 8:02}:00:00+01:00"
    return {"id": f"{number}", "source": "urn:test", "type": "deployment.succeeded", "time": time, "data": data}


def score(events, tmp_path, *more):
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(map(json.dumps, events)))
    command = [sys.executable, "-m", "scripts.score_history", str(file), *more]
    return subprocess.run(command, capture_output=True, check=True, cwd=ROOT, timeout=120, text=True).stdout


def test_each_return_is_compared_with_what_was_answered_just_before_it(tmp_path):
    """
    1, 2, 3, back to 2: the target was 2, and so was the previous version.
    Then 4, back to 2: the target was 2; then back to 1, and forward to 4.
    Then 5, and far back to 1: the target was 4, and 1 was among the first three.
    """
    versions = ["1", "2", "3", "2", "4", "2", "1", "4", "5", "1"]
    found = json.loads(score([deployed(*each) for each in enumerate(versions)], tmp_path, "--output", "json"))
    told = [(each["left"], each["chosen"], each["target"], each["previous"]) for each in found["each"]]
    assert told == [("3", "2", "2", "2"), ("4", "2", "2", "2"), ("2", "1", "1", "4"), ("5", "1", "4", "4")]
    assert found["each"][-1]["candidates"][0] == "4"
    figures = {name: found[name] for name in ("returns", "target", "first_three", "previous", "no_target")}
    assert figures == {"returns": 4, "target": 3, "first_three": 4, "previous": 2, "no_target": 0}


def test_the_figures_are_told_as_a_table(tmp_path):
    """For a person; a history without returns has no shares."""
    told = score([deployed(0, "1"), deployed(1, "2")], tmp_path)
    assert "returns to an older version" in told
    assert "%" not in told
