"""The arrows of the house: who may import whom."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FILES = [path for package in ("ledger", "projections", "api") for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden(path):
    package = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        top, _, rest = name.partition(".")
        if package == "ledger" and top in ("projections", "api"):
            yield name
        if package == "projections" and (
            top == "api" or (top == "ledger" and rest.split(".")[0] not in ("events", "values"))
        ):
            yield name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    """ledger imports neither of the others; projections only the event contract of ledger."""
    assert list(forbidden(path)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_says_what_it_is_for(path):
    """`__init__.py` files stay empty; every other file opens with a docstring."""
    if path.name == "__init__.py":
        assert path.read_text() == ""
    else:
        assert ast.get_docstring(ast.parse(path.read_text()))


def test_the_house_has_its_rooms():
    """An empty list of files would make every other test here pass."""
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == {"ledger", "projections", "api"}
