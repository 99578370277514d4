"""Flags, then variables, then the file."""

from pathlib import Path

import click
import pytest

from api.cli.settings import load


def test_without_anything_the_ledger_is_on_this_machine(tmp_path):
    """The documented defaults."""
    settings = load({}, {}, tmp_path)
    assert settings == ("http://127.0.0.1:8080", None, None, 30.0)


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(tmp_path):
    """Each layer covers the one below it, setting by setting."""
    (tmp_path / "lastgood.toml").write_text('url = "http://file"\ntoken = "file"\nspool = "file"\ntimeout_s = 3\n')
    environ = {"LASTGOOD_URL": "http://variable", "LASTGOOD_TOKEN": "variable"}
    settings = load({"url": "http://flag"}, environ, tmp_path)
    assert settings == ("http://flag", "variable", Path("file"), 3.0)


def test_an_empty_variable_is_not_set(tmp_path):
    """CI tools set a missing secret to the empty string."""
    assert load({}, {"LASTGOOD_URL": "", "LASTGOOD_TOKEN": " ", "LASTGOOD_SPOOL": ""}, tmp_path) == load(
        {}, {}, tmp_path
    )


def test_the_servers_settings_in_the_file_are_passed_over(tmp_path):
    """One file serves both halves."""
    (tmp_path / "lastgood.toml").write_text('data = "./data"\nport = 8080\n\n[oidc]\nissuer = "x"\n')
    assert load({}, {}, tmp_path).url == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "flags,environ,file,told",
    [
        ({"url": "ledger.example.com"}, {}, "", "--url"),
        ({}, {"LASTGOOD_URL": "ftp://x"}, "", "LASTGOOD_URL"),
        ({}, {}, "url = 'x'", "lastgood.toml"),
        ({}, {"LASTGOOD_TIMEOUT_S": "soon"}, "", "LASTGOOD_TIMEOUT_S"),
        ({"timeout_s": 0.0}, {}, "", "--timeout"),
        ({}, {"LASTGOOD_TOKEN": "two words"}, "", "LASTGOOD_TOKEN"),
        ({}, {"LASTGOOD_TOKEN": "line\nend"}, "", "LASTGOOD_TOKEN"),
        ({}, {}, "url =", "lastgood.toml"),
    ],
)
def test_what_cannot_be_used_is_wrong_usage_and_says_where_it_came_from(tmp_path, flags, environ, file, told):
    """A header cannot be slipped in through a token, nor a typo pass for a default."""
    if file:
        (tmp_path / "lastgood.toml").write_text(file)
    with pytest.raises(click.UsageError, match=told):
        load(flags, environ, tmp_path)


def test_a_token_loses_the_line_end_it_was_pasted_with(tmp_path):
    """Secrets come from files with a line end."""
    assert load({}, {"LASTGOOD_TOKEN": "lg_abc\n"}, tmp_path).token == "lg_abc"
