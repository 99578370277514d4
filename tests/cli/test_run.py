"""A command with its story: it runs whatever the ledger does, and its exit code is ours."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.cli.spool import Spool
from tests.cli.faulty import Answer
from tests.cli.test_ci import GITHUB

ROOT = Path(__file__).parents[2]
LASTGOOD = [sys.executable, "-c", "from api.cli.main import main; main(prog_name='lastgood')"]
RUN = ["run", "--service", "s", "--environment", "e", "--version", "1"]
NOBODY = ["--url", "http://127.0.0.1:1", "--timeout", "0.1"]
RECEIPT = {"position": 1, "duplicate": False, "warnings": []}


def run(*args: str | Path, **kwargs) -> "subprocess.CompletedProcess[str]":
    call = [*LASTGOOD, *RUN, *(str(arg) for arg in args)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(call, capture_output=True, text=True, check=False, env=environ, timeout=60, **kwargs)


def python(program: str) -> list[str]:
    return ["--", sys.executable, "-c", program]


def recorded(faulty) -> list[dict]:
    return [json.loads(each.body) for each in faulty.asked]


def test_success_is_recorded_around_the_command(faulty):
    """Started before it runs, succeeded after, both of one deployment."""
    faulty.answers = [Answer(201, RECEIPT)]
    done = run("--url", faulty.url, "--release", *python("print('deploying')"))
    assert (done.returncode, done.stdout) == (0, "deploying\n")
    started, succeeded = recorded(faulty)
    assert (started["type"], succeeded["type"]) == ("deployment.started", "deployment.succeeded")
    assert started["data"]["deployment_id"] == succeeded["data"]["deployment_id"]
    assert succeeded["data"]["released"] is True
    assert "released" not in started["data"]


@pytest.mark.parametrize("flags,released", [([], None), (["--no-release"], False)])
def test_without_release_the_environment_decides_what_users_see(faulty, flags, released):
    """Deployment is not release."""
    faulty.answers = [Answer(201, RECEIPT)]
    run("--url", faulty.url, *flags, *python(""))
    assert recorded(faulty)[1]["data"].get("released") is released


def test_failure_is_recorded_and_its_exit_code_returned(faulty):
    """With the exit status as the reason; what it left behind nobody knows."""
    faulty.answers = [Answer(201, RECEIPT)]
    done = run("--url", faulty.url, *python("import sys; sys.exit(42)"))
    assert done.returncode == 42
    failed = recorded(faulty)[1]
    assert failed["type"] == "deployment.failed"
    assert failed["data"]["reason"] == "exit status 42"
    assert "residual" not in failed["data"]


@pytest.mark.parametrize("command,code", [("no-such-command-here", 127), ("/", 126)])
def test_a_command_that_cannot_start_left_nothing_behind(faulty, command, code):
    """A shell's exit codes, and a residual that is known."""
    faulty.answers = [Answer(201, RECEIPT)]
    assert run("--url", faulty.url, "--", command).returncode == code
    assert recorded(faulty)[1]["data"]["residual"] == "unchanged"


@pytest.mark.parametrize("code", [0, 3])
def test_a_ledger_out_of_reach_changes_nothing_but_the_log(code):
    """Not the command, not its exit code."""
    done = run(*NOBODY, *python(f"import sys; print('deploying'); sys.exit({code})"))
    assert (done.returncode, done.stdout) == (code, "deploying\n")
    assert done.stderr.count("NOT RECORDED") == 2


def test_a_ledger_out_of_reach_fills_the_spool(tmp_path):
    """Both events, in order, each with its time."""
    done = run(*NOBODY, "--spool", tmp_path / "spool", *python(""))
    assert done.returncode == 0
    events = [json.loads(path.read_bytes()) for path in Spool(tmp_path / "spool").waiting()]
    assert [each["type"] for each in events] == ["deployment.started", "deployment.succeeded"]
    assert events[0]["time"] < events[1]["time"]


@pytest.mark.parametrize("status", [401, 403, 422])
def test_a_ledger_that_refuses_does_not_stop_the_command(faulty, status):
    """Nothing here stands in the way of recovery; it is told loudly."""
    faulty.answers = [Answer(status, {"title": "No", "status": status})]
    done = run("--url", faulty.url, *python("print('deploying')"))
    assert (done.returncode, done.stdout) == (0, "deploying\n")
    assert done.stderr.count("NOT RECORDED") == 2


def test_wrong_usage_runs_nothing():
    """A deployment that nobody could name afterwards is not begun."""
    call = [*LASTGOOD, "run", "--service", "s", "--environment", "e", "--", sys.executable, "-c", "print('deploying')"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--version" in done.stderr


def test_the_command_has_our_standard_input():
    """A deployment may ask, or be fed."""
    done = run(*NOBODY, *python("print(input())"), input="yes\n")
    assert done.stdout == "yes\n"


def test_the_commands_own_flags_are_its_own():
    """Two dashes before the command are good manners, not a need."""
    done = run(*NOBODY, sys.executable, "-c", "import sys; print(sys.argv[1:])", "--service", "x")
    assert done.stdout == "['--service', 'x']\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_command(faulty, number):
    """A CI tool that cancels the job lets the deployment clean up."""
    faulty.answers = [Answer(201, RECEIPT)]
    program = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\ntime.sleep(30)"
    )
    call = [*LASTGOOD, *RUN, "--url", faulty.url, *python(program)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    # A session of its own has no terminal that would send Ctrl-C to both.
    running = subprocess.Popen(call, stdout=subprocess.PIPE, text=True, env=environ, start_new_session=True)
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(number)
        assert running.wait(20) == 7
    assert recorded(faulty)[1]["data"]["reason"] == "exit status 7"


def test_a_command_ended_by_a_signal_is_128_and_the_signal(faulty):
    """As a shell would say."""
    faulty.answers = [Answer(201, RECEIPT)]
    done = run("--url", faulty.url, *python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert done.returncode == 128 + signal.SIGKILL
    assert recorded(faulty)[1]["data"]["reason"] == "ended by SIGKILL"


def test_a_slow_ledger_holds_the_command_up_for_seconds_only(tmp_path):
    """A server that accepts and never answers: the command runs nevertheless."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        done = run("--url", url, "--timeout", "0.5", *python("print('deploying')"))
    assert (done.returncode, done.stdout) == (0, "deploying\n")
    assert time.monotonic() - began < 10


def test_in_ci_the_version_and_the_names_come_from_the_job(faulty, monkeypatch):
    """Nothing to write but the slot."""
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    faulty.answers = [Answer(201, RECEIPT)]
    call = [
        *LASTGOOD,
        "run",
        "--service",
        "s",
        "--environment",
        "e",
        "--url",
        faulty.url,
        "--",
        sys.executable,
        "-c",
        "",
    ]
    subprocess.run(call, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    data = recorded(faulty)[1]["data"]
    assert (data["version"], data["deployment_id"]) == (GITHUB["GITHUB_SHA"], "run-8812-2")


def test_ctrl_c_at_a_terminal_reaches_the_command_once():
    """The terminal sends it to both; tools take a second one for "at once", and leave half a deployment."""
    program = (
        "import signal, sys, time\n"
        "caught = []\n"
        "signal.signal(signal.SIGINT, lambda *_: caught.append(1))\n"
        "print('ready', flush=True)\n"
        "until = time.monotonic() + 20\n"
        "while not caught and time.monotonic() < until: time.sleep(0.01)\n"
        "time.sleep(0.3)\n"
        "sys.exit(40 + len(caught))"
    )
    call = [*LASTGOOD, *RUN, *NOBODY, *python(program)]
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(call[0], call, {**os.environ, "PYTHONPATH": str(ROOT)})
    shown = b""
    while b"ready" not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, b"\x03")
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 41
