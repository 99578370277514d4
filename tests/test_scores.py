"""The scripts that score answers against what operators did, on histories small enough to count by hand."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]


def deployed(number, service, version, time):
    data = {"deployment_id": f"d{number}", "service": service, "environment": "production", "version": version}
    return {"id": f"{number}", "source": "urn:test", "type": "deployment.succeeded", "time": time, "data": data}


def score(script, events, tmp_path):
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(map(json.dumps, events)))
    command = [sys.executable, str(ROOT / "scripts" / script), str(file), "--output", "json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, cwd=ROOT, timeout=120).stdout)


def test_services_that_went_back_together_went_to_one_moment(tmp_path):
    """
    Four services go from 1 over 2 to 3 and back to 1 within an hour; one of
    them never had a 2, so that 1 was its previous version.
    """
    events = []
    for minute, service in enumerate("abcd"):
        for hour, version in ((10, "1"), (11, "2"), (12, "3"), (15, "1")):
            if (service, version) != ("d", "2"):
                events.append(deployed(len(events), service, version, f"2026-11-20T{hour}:0{minute}:00Z"))
    found = score("score_plans.py", events, tmp_path)
    assert (found["hours"], found["services"], found["planned"], found["previous"]) == (1, 4, 4, 1)
