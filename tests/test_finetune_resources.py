"""What a run needs is checked before it begins: room on the disk, packages, and a run to go on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.commands.options import require_run
from finetune.extras import needed
from finetune.resources import duration, require_free, size
from indexer.errors import StorageError, UsageError


def test_too_little_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    require_free(tmp_path / "not" / "there" / "yet", 1000)
    with pytest.raises(StorageError, match=r"model needs 1000000000\.0 GB, and its disk has .* free"):
        require_free(tmp_path / "model", 10**18)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("count", "said"), [(999, "999 bytes"), (1500, "1.5 kB"), (2_000_000, "2.0 MB"), (10**9, "1.0 GB")]
)
def test_sizes_are_said_in_the_unit_that_suits_them(count: int, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize(("seconds", "said"), [(59.6, "60 seconds"), (600, "10 minutes"), (9000, "2.5 hours")])
def test_times_are_said_as_a_person_says_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_missing_package_ends_in_the_command_to_type() -> None:
    assert needed("json", "Reading").loads("1") == 1
    with pytest.raises(UsageError, match="Finding twins needs nowhere_to_be_found, which is not installed") as caught:
        needed("nowhere_to_be_found.part", "Finding twins")
    assert caught.value.hint == 'Run: pip install "footnote[training]"'


def test_going_on_needs_a_run_that_was_begun(tmp_path: Path) -> None:
    require_run(tmp_path, resume=False)
    with pytest.raises(UsageError, match="There is no interrupted run in"):
        require_run(tmp_path, resume=True)
    (tmp_path / "training" / "last").mkdir(parents=True)
    require_run(tmp_path, resume=True)
