"""The command `serve`, as far as it does not serve: what it refuses, and what it says then."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from rag.service.server import bound


def serve(*arguments: str, **environment: str | None) -> Result:
    clean: dict[str, str | None] = {"FOOTNOTE_TOKEN": None, "FOOTNOTE_SERVE_CONFIG": None, **environment}
    return CliRunner().invoke(cli.footnote, ["serve", *arguments], env=clean, prog_name="footnote")


def test_an_address_that_others_reach_needs_a_token(tmp_path: Path) -> None:
    refused = serve("--host", "0.0.0.0", "--home", str(tmp_path))
    assert refused.exit_code == 2
    assert "Others can reach 0.0.0.0, and no token is set." in refused.stderr
    assert "export FOOTNOTE_TOKEN=$(" in refused.stderr


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with bound("127.0.0.1", 0) as listener:
        refused = serve("--port", str(listener.getsockname()[1]), "--home", str(tmp_path))
    assert refused.exit_code == 2
    assert "is taken by another program." in refused.stderr


def test_without_its_packages_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("fastapi", "prometheus_client"):
        monkeypatch.setitem(sys.modules, name, None)
    refused = serve("--home", str(tmp_path))
    assert refused.exit_code == 1
    assert "Serving needs fastapi, prometheus_client, which are not installed." in refused.stderr
    assert 'pip install "footnote[serve]"' in refused.stderr


def test_a_wrong_setting_is_said_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text("prot = 80\n")
    refused = serve("--home", str(tmp_path))
    assert refused.exit_code == 2
    assert "serve.toml has 'prot', which is no setting." in refused.stderr
