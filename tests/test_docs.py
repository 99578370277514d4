"""
The documentation holds: what README and docs show is run, and what exists is documented.

A block marked `console` holds commands after `$ ` and what they print; `...`
stands for anything. All blocks of a page are run in order, in one shell,
against a fresh server.
"""

import pathlib
import re
import runpy
import subprocess

import pytest

from ledger.events import EVENTS
from tests.server import LASTGOOD, Server, environment

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MARK = "--- next command ---"


def console_commands(text):
    """The commands of a page with what they should print, in order."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found and found[-1][0].endswith("\\"):
                found[-1] = (found[-1][0] + "\n" + line, [])
            else:
                found[-1][1].append(line)
    return found


def matches(expected, printed):
    """Whether output is as shown; columns may be wider apart than shown, and lines may end in blanks."""
    pattern = r"\s*\n".join(
        r".*".join(re.sub(r"\\\s+", r"\\s+", re.escape(part)) for part in line.split("...")) for line in expected
    )
    return re.fullmatch(pattern + r"\s*", printed, re.DOTALL) is not None


@pytest.mark.parametrize(
    "page", [page for page in PAGES if console_commands(page.read_text())], ids=lambda page: page.name
)
def test_what_the_pages_show_is_what_happens(page, tmp_path):
    """Every command is run, and prints what the page says."""
    server = Server(tmp_path / "server").start()
    commands = console_commands(page.read_text())
    script = "\n".join(f"{command}\necho '{MARK}'" for command, _ in commands)
    settings = environment(url=server.url, data=str(server.data))
    settings["PATH"] = f"{pathlib.Path(LASTGOOD).parent}:{settings['PATH']}"
    settings["COLUMNS"] = "200"
    try:
        ran = subprocess.run(
            ["bash", "-c", f"exec 2>&1\n{script}"],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=settings,
            timeout=120,
        )
    finally:
        server.close()
    printed = ran.stdout.split(MARK + "\n")
    for (command, expected), output in zip(commands, printed, strict=False):
        assert not expected or matches(expected, output), f"$ {command}\nprinted\n{output}\nand not\n" + "\n".join(
            expected
        )
    assert len(printed) == len(commands) + 1


def test_the_readme_shows_a_minutes_run():
    """Else the test above would pass on a page without commands."""
    assert len(console_commands((ROOT / "README.md").read_text())) >= 5


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_every_event_type_is_documented(topic):
    """docs/events.md is where people look it up."""
    assert f"`{topic}`" in (ROOT / "docs" / "events.md").read_text()


def test_the_catalogue_is_as_the_code_has_it():
    """docs/events.md is made by a script; it was run after the last change."""
    made = runpy.run_path(str(ROOT / "scripts" / "event-docs"))["page"]()
    assert (ROOT / "docs" / "events.md").read_text() == made
