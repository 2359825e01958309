"""The examples in the documents are run as they stand."""

import re
from pathlib import Path
from typing import Any

import pytest

from rag import Answer
from tests.worlds import write_folder

ROOT = Path(__file__).parent.parent
PAPERS = {
    "archive.md": "# The archive\n\nThe archive was opened in 1921 by the town's two schoolteachers.\n",
    "rain.md": "# Rain\n\nRain fell on 212 days.\n",
    "drafts/rain.md": "# Rain\n\nRain never fell.\n",
}


def examples(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def run(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a document's examples one after the other, with some papers in ~/papers; return what they defined."""
    monkeypatch.setenv("HOME", str(home.parent))
    write_folder(home.parent / "papers", PAPERS)
    defined: dict[str, Any] = {}
    for number, example in enumerate(examples(name), 1):
        exec(compile(example, f"{name}, example {number}", "exec"), defined)  # noqa: S102  our own documents
    return defined


def test_the_examples_for_python_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    defined = run("docs/python.md", home, monkeypatch)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "1921"
    assert said[1] == "0 0 1 2"  # the draft is gone from what was asked for
    assert "There is no collection 'nothing'" in "\n".join(said)
    assert "Green tea is steeped at eighty degrees." in said
    answer = defined["answer"]
    assert isinstance(answer, Answer)
    assert (answer.text, answer.generator) == ("The roof was mended in June 2019.", "first-sentence")
    assert [each.question for each in defined["answers"]] == [
        "When was the roof mended?",
        "When was the boiler replaced?",
    ]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/experiments.md"])
def test_the_examples_elsewhere_run(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(name, home, monkeypatch)
