"""The entry: every verb by name, no verb paying for another, no empty value."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli.main import VERBS

ROOT = Path(__file__).parents[2]
HEAVY = {"flask", "flask_smorest", "marshmallow", "eventsourcing", "rich", "sqlite_utils", "gunicorn", "ledger.events"}
CALLS = [
    ["--help"],
    ["append", "--help"],
    ["status", "--url", "http://127.0.0.1:1"],
    ["deployment", "succeeded", "--help"],
    "deployment succeeded --url http://127.0.0.1:1 --timeout 0.1 --service s --environment e --version v".split(),
    ["run", "--help"],
    ["flush", "--spool", "nowhere", "--url", "http://127.0.0.1:1"],
]


def modules_after(call: list[str]) -> set[str]:
    program = (
        "import json, sys\nfrom api.cli.main import main\n"
        "try:\n main()\nexcept SystemExit:\n pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.__stderr__)"
    )
    done = subprocess.run([sys.executable, "-c", program, *call], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_client_verb_starts_without_the_servers_libraries(call):
    """A pipeline pays for click and HTTP, nothing else."""
    assert modules_after(call) & HEAVY == set()


def test_help_names_every_verb_without_loading_one(lastgood):
    """The list comes from the table."""
    shown = lastgood("--help").stdout
    assert all(f"  {verb} " in shown for verb in VERBS)
    assert not any(
        name.startswith("api.cli.") and name.removeprefix("api.cli.") in {"read", "operate", "record"}
        for name in modules_after(["--help"])
    )


def test_the_version_is_the_packages(lastgood):
    """What `pip` installed."""
    assert lastgood("--version").stdout.startswith("lastgood 0.")


def test_an_unknown_verb_is_wrong_usage(lastgood):
    """And says so with exit code 2."""
    assert lastgood("deploy").exit_code == 2


@pytest.mark.parametrize(
    "call",
    [
        ["status", "--environment", ""],
        ["status", "--environment="],
        ["status", ""],
        ["deployment", "succeeded", "--service", "s", "--environment", "e", "--version", ""],
        ["deployment", "succeeded", "--service", "s", "--environment", "e", "--version", " \n"],
        ["deployment", "succeeded", "--service", "s", "--environment", "e", "--version", "v", "--digest="],
        ["append", "--spool", "", "file"],
        ["flush", "--url", ""],
        ["export", "-o", ""],
        ["plan", "production", "--to", ""],
        ["run", "--service", "", "--environment", "e", "--version", "v", "--", "true"],
        ["token", "create", ""],
        ["serve", "--host="],
    ],
    ids=" ".join,
)
def test_an_empty_value_is_wrong_usage_for_every_verb(lastgood, call):
    """An unset variable in a pipeline must not become a default."""
    result = lastgood(*call)
    assert result.exit_code == 2
    assert "empty value" in result.stderr


def test_an_unquoted_unset_variable_is_wrong_usage_too(lastgood):
    """`--version $VERSION --digest x` leaves words over."""
    result = lastgood("deployment", "succeeded", "--service", "s", "--environment", "e", "--version", "--digest", "x")
    assert result.exit_code == 2


def test_the_command_after_two_dashes_keeps_its_empty_arguments(lastgood):
    """They are none of our business."""
    call = [
        "run",
        "--service",
        "s",
        "--environment",
        "e",
        "--version",
        "v",
        "--url",
        "http://127.0.0.1:1",
        "--timeout",
        "0.1",
    ]
    result = lastgood(
        *call, "--", sys.executable, "-c", "import sys; sys.exit(sys.argv[1:] != ['', '--x='])", "", "--x="
    )
    assert result.exit_code == 0


@pytest.mark.slow
def test_client_verbs_start_within_their_time():
    """0.15 s; half as much again for a machine that does other things meanwhile. The fastest of several counts."""
    import time

    for call in (["append", "--help"], ["status", "--url", "http://127.0.0.1:1"]):
        times = []
        for _ in range(7):
            began = time.perf_counter()
            program = [sys.executable, "-c", "from api.cli.main import main; main()", *call]
            subprocess.run(program, cwd=ROOT, capture_output=True, check=False)
            times.append(time.perf_counter() - began)
        assert min(times) < 0.225, call
