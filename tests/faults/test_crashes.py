"""F1, F2 and F4: killed at random moments, at the nth call of the storage seam and at each of its named points."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.crash_run import SCENES, Known, learn, run_trials, sweep


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crashes")


@pytest.fixture(scope="module")
def known(root: Path) -> dict[str, Known]:
    return {name: learn(name, root) for name in sorted(SCENES)}


def test_the_named_points_are_all_reached_by_some_scene(known: dict[str, Known]) -> None:
    """A kill point that is never reached proves nothing."""
    reached = {point for name in ("change", "rebuild") for point in known[name].counts}
    for point in (
        "publish.after_write", "publish.after_fsync", "publish.after_replace", "publish.before_manifest",
        "publish.after_manifest", "commit", "commit.after", "current.after_write", "current.after_fsync",
        "current.after_replace", "switch.before", "unlink", "mkdir", "fsync", "replace", "execute", "flock", "open",
    ):  # fmt: skip
        assert point in reached
    assert set(known) == {"create", "change", "remove", "rebuild", "files", "import", "repair"}


@pytest.mark.slow
def test_nothing_is_lost_at_any_named_point(known: dict[str, Known], root: Path) -> None:
    trials = sweep(known, root)
    assert [trial for trial in trials if trial.faults] == []
    assert sum(trial.killed for trial in trials) >= 60


@pytest.mark.slow
def test_nothing_is_lost_at_random_moments(known: dict[str, Known], root: Path) -> None:
    killed, failed = run_trials(30, seed=20, known=known, root=root, artefacts=root / "artefacts")
    assert killed >= 30
    assert failed == []
