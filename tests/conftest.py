"""What several test files share: the default encoder and generator, converted once a machine, and homes with them."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from indexer.encoder import open_encoder
from rag.copying.generator import open_copying

# Property tests look elsewhere in each run at a desk, where a find is welcome. Continuous integration tries the same
# examples each time, so that a red run speaks of the change and not of the day.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

# What is started in the background ignores Ctrl-C, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write tests/golden/ anew from what is printed now.")


@pytest.fixture(scope="session")
def converted(request: pytest.FixtureRequest) -> Path:
    """Return a home folder with the default encoder and generator and no collection; kept from one run to the next."""
    home: Path = request.config.cache.mkdir("home")
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two test processes one converts, and the other finds it done
        open_encoder(None, home)
        open_copying(None, home)
    return home


@pytest.fixture
def home(tmp_path: Path, converted: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home folder with default encoder and generator ready, which FOOTNOTE_HOME names."""
    return new_home(tmp_path / "home", converted, monkeypatch.setenv)


def new_home(folder: Path, converted: Path, setenv: Callable[[str, str], None] | None = None) -> Path:
    """Make `folder` a home that borrows the encoders and generators of `converted`."""
    folder.mkdir()
    for name in ("encoders", "generators"):
        (folder / name).symlink_to(converted / name)
    if setenv is not None:
        setenv("FOOTNOTE_HOME", str(folder))
    return folder


@pytest.fixture
def quoting_model(tmp_path: Path) -> Path:
    """Return a model file for the quoting generator, with weights simple enough to work out by hand.

    A sentence's score is the share of the question's words that it holds, and 0.1 for a part of the type asked for; the
    confidence is logistic(10 * (words of the question in sentence and headings) - 5).
    """
    model = {
        "name": "quoting",
        "threshold": 0.5,
        "sentence": {"bias": 0.0, "weights": {"words": 1.0, "has_type": 0.1}},
        "confidence": {"bias": -5.0, "weights": {"words": 10.0}},
        "risk_coverage": [
            {"coverage": 0.2, "threshold": 0.95, "error": 0.0},
            {"coverage": 0.5, "threshold": 0.7, "error": 0.1},
            {"coverage": 1.0, "threshold": 0.0, "error": 0.4},
        ],
    }
    file = tmp_path / "quoting.json"
    file.write_text(json.dumps(model))
    return file
