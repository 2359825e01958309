"""Texts to learn a language from, and the tokens they become."""

from pathlib import Path

import pytest

from finetune.language.architecture import OBJECTIVES
from finetune.language.corpus import read_corpus
from finetune.language.tokens import encoded, end_of, learn_tokenizer, open_tokenizer, sentinels
from indexer.errors import UsageError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
TEXTS = [
    f"Document {number}: the pump in hall {number % 7} moves {number} litres a minute.\n\n" * 3 for number in range(60)
]


def written(folder: Path, texts: list[str]) -> Path:
    folder.mkdir(parents=True)
    for number, text in enumerate(texts):
        (folder / f"{number:03d}.txt").write_text(text)
    return folder


def test_whole_documents_are_held_out_and_the_same_ones_each_time(tmp_path: Path) -> None:
    corpus = read_corpus([written(tmp_path / "a", TEXTS)], 0.2)
    assert sorted([*corpus.learn, *corpus.held]) == sorted(TEXTS)
    assert 3 <= len(corpus.held) <= 25
    again = read_corpus([written(tmp_path / "b", TEXTS[::-1])], 0.2)
    assert sorted(again.held) == sorted(corpus.held), "by the text, not by its place"


def test_of_few_documents_the_ends_are_held_out(tmp_path: Path) -> None:
    text = "\n\n".join(f"Paragraph {number} of the only text." for number in range(100))
    corpus = read_corpus([written(tmp_path / "a", [text])], 0.1)
    assert corpus.learn[0] + corpus.held[0] == text
    assert corpus.held[0].startswith("Paragraph ")
    assert len(corpus.held[0]) == pytest.approx(0.1 * len(text), rel=0.2)


def test_a_bad_line_is_told_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"text": "one"}\n{"text": 2}\n')
    with pytest.raises(UsageError, match="line 2"):
        read_corpus([file], 0.1)


def test_a_folder_without_texts_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no text files") as caught:
        read_corpus([tmp_path], 0.1)
    assert "footnote train data" in caught.value.hint


def test_too_little_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only 14 characters"):
        read_corpus([written(tmp_path / "a", ["A short text.\n"])], 0.1)


# Tokens


@pytest.mark.parametrize("objective", sorted(set(OBJECTIVES.values())))
def test_a_learnt_tokenizer_has_what_its_objective_needs(objective: str, tmp_path: Path) -> None:
    tokenizer = learn_tokenizer(TEXTS, objective, 400)  # type: ignore[arg-type]
    stream = encoded(["The pump.", "A hall."], tokenizer)
    assert stream.tolist().count(end_of(tokenizer)) == 2
    assert tokenizer.pad_token_id is not None
    tokenizer.save_pretrained(tmp_path)
    again = open_tokenizer(tmp_path, objective)  # type: ignore[arg-type]
    assert len(again) == len(tokenizer)
    assert encoded(["The pump.", "A hall."], again).tolist() == stream.tolist()


def test_what_looks_like_a_special_token_is_text() -> None:
    tokenizer = learn_tokenizer(TEXTS, "next", 400)
    text = "a <|end|> b"
    stream = encoded([text], tokenizer).tolist()
    assert stream.count(end_of(tokenizer)) == 1
    assert tokenizer.decode(stream[:-1]) == text


def test_a_tokenizer_file_is_given_the_tokens_it_lacks(tmp_path: Path) -> None:
    plain = learn_tokenizer(TEXTS, "next", 400)
    plain.backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    opened = open_tokenizer(tmp_path / "tokenizer.json", "spans")
    assert len(set(sentinels(opened))) == 100
    assert opened.eos_token == "</s>"


def test_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tokenizer in"):
        open_tokenizer(tmp_path, "next")
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(UsageError, match="does not read"):
        open_tokenizer(tmp_path, "next")
