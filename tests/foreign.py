"""
Programs that nobody here wrote, each in an environment of its own, for tests to ask.

They are installed from PyPI when a test first asks, and kept in pytest's cache.
Where that can't be done the test is skipped with the reason; in CI it fails.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest


def environment(cache: pytest.Cache, requirement: str, newest_too_old: tuple[int, int] = (3, 10)) -> Path:
    """
    The folder of the executables of an environment with this requirement, on a Python newer than that.

    Where there is none (Debian 12 has 3.11 alone), on this one, against what
    the package says of itself: the tests show whether it runs all the same.
    """
    newer = python_after(newest_too_old)
    python, anyway = newer or sys.executable, [] if newer else ["--ignore-requires-python"]
    folder = cache.mkdir(f"foreign-{requirement.replace('==', '-')}")
    if not (folder / "complete").exists():
        pip = [folder / "bin/pip", "install", "--quiet", *anyway, requirement]
        for step in ([python, "-m", "venv", "--clear", folder], pip):
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                absent(f"{requirement} can't be installed: {done.stderr.strip()[-500:]}")
        (folder / "complete").touch()
    return folder / "bin"


def absent(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def extra(module: str, name: str) -> None:
    """Goes on only where an optional extra is installed."""
    if importlib.util.find_spec(module) is None:
        absent(f"the extra {name} is not installed: pip install 'lastgood[{name}]'")


def python_after(version: tuple[int, int]) -> str | None:
    """The newest Python here that is newer than *version*: this one, one on the PATH, or one of pyenv's."""
    if sys.version_info[:2] > version:
        return sys.executable
    named = [f"python3.{minor}" for minor in range(20, version[1], -1)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = named + [str(path) for path in sorted(pyenv.glob("*/bin/python3"), reverse=True)]
    return next((each for each in candidates if _is_newer(each, version)), None)


def _is_newer(python: str, version: tuple[int, int]) -> bool:
    asked = [python, "-c", f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] <= {version})"]
    try:
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
