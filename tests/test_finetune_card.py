"""Model cards: what they tell, and which commit they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.card import Card, Source, _commit, parsed, table, write_card
from indexer.errors import UsageError

HASH = "0123456789abcdef0123456789abcdef01234567"


def test_a_card_tells_data_options_scores_and_parent(tmp_path: Path) -> None:
    data = tmp_path / "questions.jsonl"
    data.write_text("{}\n")
    card = Card(
        "A model", "It answers.", [Source(data, 0.5, "CC0")], {"seed": 11}, {"Scores": table({"f1": 61.25})},
        parent="models/small", front={"pipeline_tag": "question-answering"},
    )  # fmt: skip
    write_card(tmp_path, card)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("---\nlibrary_name: footnote\npipeline_tag: question-answering\n---\n\n# A model\n")
    # sha256 of "{}\n"
    sha256 = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
    assert f"| questions.jsonl | 0.5 | CC0 | `{sha256}` |" in text
    assert "## Scores\n\n| score | |\n|---|---|\n| f1 | 61.2 |" in text
    assert "Parent: models/small." in text
    assert '"seed": 11' in text


def test_the_commit_is_read_from_a_clone_a_worktree_and_packed_refs(tmp_path: Path) -> None:
    git = tmp_path / "clone" / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text(HASH + "\n")
    assert _commit(tmp_path / "clone") == HASH
    (git / "refs" / "heads" / "main").unlink()
    (git / "packed-refs").write_text(f"# pack-refs\n{HASH} refs/heads/main\n")
    assert _commit(tmp_path / "clone") == HASH
    (git / "worktrees" / "w").mkdir(parents=True)
    (git / "worktrees" / "w" / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "worktrees" / "w" / "commondir").write_text("../..\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {git / 'worktrees' / 'w'}\n")
    assert _commit(tmp_path / "w") == HASH


def test_outside_of_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert _commit(tmp_path) == ""


def test_a_weight_follows_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.touch()
    assert parsed(f"{file}:2").weight == 2.0
    assert parsed(str(file)).weight == 1.0
    with pytest.raises(UsageError, match="must be larger than 0"):
        parsed(f"{file}:0")
    with pytest.raises(UsageError, match="There is no file"):
        parsed(str(tmp_path / "b.jsonl"))
