"""Settings: flags before variables before the file, and every error at once."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from api.config import BadSettings, Settings, load


def test_without_anything_set_the_defaults_hold(tmp_path):
    """A folder beside where it runs, and nobody but this machine can reach it."""
    assert load({}, {}, tmp_path) == Settings()
    assert (Settings().data, Settings().host, Settings().port) == (Path("data"), "127.0.0.1", 8080)


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(tmp_path):
    """The nearer to the call, the stronger."""
    (tmp_path / "lastgood.toml").write_text('host = "from.file"\nport = 1\nthreads = 8\npublic_log = false\n')
    settings = load({"host": "from.flag"}, {"LASTGOOD_HOST": "from.variable", "LASTGOOD_PORT": "2"}, tmp_path)
    assert (settings.host, settings.port, settings.threads, settings.public_log) == ("from.flag", 2, 8, False)


def test_a_variable_that_is_set_and_empty_counts_as_not_set(tmp_path):
    """CI tools set a missing secret so."""
    assert load({}, {"LASTGOOD_PORT": "  ", "LASTGOOD_DATABASE": ""}, tmp_path) == Settings()


def test_the_clients_settings_in_the_file_are_none_of_the_servers_business(tmp_path):
    """One file serves both."""
    (tmp_path / "lastgood.toml").write_text('url = "https://ledger.example"\ndata = "there"\n')
    assert load({}, {}, tmp_path).data == Path("there")


def test_all_errors_are_told_at_once_each_with_where_it_came_from(tmp_path):
    """Nobody should start a server five times to find five mistakes."""
    (tmp_path / "lastgood.toml").write_text('log_format = "xml"\n')
    with pytest.raises(BadSettings) as told:
        load({"port": 70_000}, {"LASTGOOD_THREADS": "many"}, tmp_path)
    assert [each.partition(":")[0] for each in told.value.errors] == [
        "--port",
        "LASTGOOD_THREADS",
        "log_format in lastgood.toml",
    ]


@pytest.mark.parametrize(
    "name,value",
    [
        ("PORT", "-1"),
        ("PORT", "http"),
        ("THREADS", "1"),
        ("PROXIES", "-1"),
        ("PUBLIC_LOG", "perhaps"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(tmp_path, name, value):
    """And the variable is named."""
    with pytest.raises(BadSettings, match=f"LASTGOOD_{name}: "):
        load({}, {f"LASTGOOD_{name}": value}, tmp_path)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path):
    """Before anything is opened."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(BadSettings, match="is a file"):
        load({"data": str(tmp_path / "taken")}, {}, tmp_path)


def test_postgresql_is_refused_with_when_it_comes(tmp_path):
    """Ignoring it would keep the record where nobody looks for it."""
    with pytest.raises(BadSettings, match="LASTGOOD_DATABASE: PostgreSQL comes in a later release"):
        load({}, {"LASTGOOD_DATABASE": "postgresql://db/lastgood"}, tmp_path)


def test_a_file_that_is_not_toml_is_told(tmp_path):
    """With its name."""
    (tmp_path / "lastgood.toml").write_text("port: 8080")
    with pytest.raises(BadSettings, match=r"lastgood\.toml cannot be read"):
        load({}, {}, tmp_path)


def test_every_setting_is_documented_with_its_default():
    """In the table of docs/operations.md."""
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    rows = dict(re.findall(r"^\| `LASTGOOD_(\w+)` \|[^|]*\| `([^`]*)` \|", page, re.MULTILINE))
    defaults = {each.name.upper(): str(each.default) for each in fields(Settings)}
    said = {"True": "true", "False": "false", "None": "none", "()": "none"}
    assert rows == {name: said.get(value, value) for name, value in defaults.items()}
