"""Settings: a file, under the environment, under flags; and what can not be served with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import NotFound, UsageError
from rag.service.settings import Settings, checked, is_loopback, load_settings

TOKEN = "sixteen-letters-"


def written(folder: Path, text: str) -> Path:
    file = folder / "serve.toml"
    file.write_text(text)
    return file


def test_without_anything_it_serves_this_machine_alone() -> None:
    settings = load_settings(environment={"HOME": "/nowhere", "FOOTNOTE_HOME": "/nowhere"})
    assert (settings.host, settings.port, settings.token, settings.is_local) == ("127.0.0.1", 8000, "", True)
    assert settings.hosts == {"localhost", "127.0.0.1", "::1"}


def test_flags_stand_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'port = 1\nqueue = 2\nbatch = 3\nbatch_seconds = 1\nallowed_hosts = ["Library.local"]\n')
    settings = load_settings(file, {"FOOTNOTE_QUEUE": "20", "FOOTNOTE_BATCH": "30"}, {"batch": 300, "port": None})
    assert (settings.port, settings.queue, settings.batch, settings.batch_seconds) == (1, 20, 300, 1.0)
    assert settings.hosts >= {"library.local"}


def test_the_home_folder_has_a_file_of_its_own(tmp_path: Path) -> None:
    written(tmp_path, "port = 81\n")
    assert load_settings(environment={}, flags={"home": str(tmp_path)}).port == 81
    assert load_settings(environment={"FOOTNOTE_HOME": str(tmp_path)}).port == 81


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("LOG_JSON", "yes", True), ("LOG_JSON", "0", False), ("BATCH_SECONDS", "0.5", 0.5), ("TOKEN", TOKEN, TOKEN),
     ("ALLOWED_HOSTS", "a.local, b.local", ("a.local", "b.local")), ("COLLECTION", "papers", "papers")],
)  # fmt: skip
def test_the_environment_speaks_text(name: str, text: str, value: Any) -> None:
    settings = load_settings(environment={f"FOOTNOTE_{name}": text, "FOOTNOTE_HOME": "/nowhere"})
    assert getattr(settings, name.lower()) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [("ports = 1", "'ports', which is no setting"), ('port = "80"', "'80' as port"), ("port = true", "True as port"),
     ("port = ", "cannot be read as TOML"), ("port = 70000", "There is no port 70000"), ("queue = 0", "queue is 0"),
     ("allowed_hosts = [1]", "as allowed_hosts"), ("request_seconds = nan", "request_seconds is nan"),
     ('token = "short"', "The token has 5 characters"), ('host = "0.0.0.0"', "no token is set"),
     ("batch = -1", "batch is -1")],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_settings(written(tmp_path, text), {})


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(UsageError, match="FOOTNOTE_PORT is 'eighty', and should be a number"):
        load_settings(environment={"FOOTNOTE_PORT": "eighty", "FOOTNOTE_HOME": "/nowhere"})
    with pytest.raises(NotFound, match=r"There is no file /nowhere/x\.toml"):
        load_settings("/nowhere/x.toml", {})


def test_a_token_is_never_shown() -> None:
    assert TOKEN not in repr(Settings(token=TOKEN))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_addresses_need_no_token(host: str) -> None:
    assert checked(Settings(host=host)).is_local


@given(st.ip_addresses())
def test_every_other_address_needs_one(address: Any) -> None:
    assert is_loopback(str(address)) == address.is_loopback
    if not address.is_loopback:
        with pytest.raises(UsageError, match="no token is set"):
            checked(Settings(host=str(address)))
        assert checked(Settings(host=str(address), token=TOKEN)).token == TOKEN
