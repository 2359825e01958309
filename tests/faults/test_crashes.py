"""F1, F2 and F4: killed at random moments, at the nth call of the storage seam and at each of its named points."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.crash_run import SCENES, learn, run_trials


@pytest.mark.slow
def test_nothing_is_lost_in_sixty_kills(tmp_path: Path) -> None:
    killed, failed = run_trials(60, seed=20, root=tmp_path / "runs", artefacts=tmp_path / "artefacts")
    assert killed >= 60
    assert failed == []


def test_the_named_points_are_all_reached_by_some_scene(tmp_path: Path) -> None:
    """A kill point that is never reached proves nothing."""
    reached = {point for name in ("change", "rebuild") for point in learn(name, tmp_path).counts}
    for point in (
        "publish.after_write", "publish.after_fsync", "publish.after_replace", "publish.before_manifest",
        "publish.after_manifest", "commit", "commit.after", "current.after_write", "current.after_fsync",
        "current.after_replace", "switch.before", "unlink", "mkdir", "fsync", "replace", "execute", "flock", "open",
    ):  # fmt: skip
        assert point in reached
    assert {"create", "change", "remove", "rebuild", "files", "import", "repair"} == set(SCENES)
