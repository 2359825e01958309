"""The notebook runs from top to bottom, and shows what it says it shows.

After an intended change: pytest tests/test_tutorial.py --update-golden, and read what it shows now.
"""

import ast
import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "tutorial.ipynb"
SHOWN_BY = {"text/html": "_repr_html_", "text/markdown": "_repr_markdown_"}


def run(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a cell as a notebook does, and return its outputs in the form that a notebook stores."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, str(NOTEBOOK), "exec"), names)  # noqa: S102  our own notebook
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)  # noqa: S307
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())})
    if value is not None:
        data = {kind: lines(getattr(value, by)()) for kind, by in SHOWN_BY.items() if hasattr(value, by)}
        data["text/plain"] = lines(repr(value))
        outputs.append({"data": data, "metadata": {}, "output_type": "execute_result"})
    return outputs


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def masked(outputs: list[dict[str, Any]]) -> str:
    """Return outputs without what the precision of a processor may move: how sure an answer is."""
    bare = [{key: value for key, value in each.items() if key != "execution_count"} for each in outputs]
    return re.sub(r"([Cc]onfidence) [\d.]+%?", r"\1 #", json.dumps(bare, ensure_ascii=False, sort_keys=True))


def test_the_notebook_shows_what_it_says(home: Path, request: pytest.FixtureRequest) -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    names: dict[str, Any] = {}
    for cell in cells:
        outputs = run("".join(cell["source"]), names)
        if request.config.getoption("--update-golden"):
            count = {"execution_count": cell["execution_count"]}
            cell["outputs"] = [each | count if "data" in each else each for each in outputs]
        assert masked(cell["outputs"]) == masked(outputs)
    if request.config.getoption("--update-golden"):
        NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert not list((home / "collections").glob("*/CURRENT"))  # it leaves nothing behind


def test_every_section_tells_before_it_shows() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert cells[0]["cell_type"] == "markdown"
    shown = "".join("".join(output.get("text", [])) for cell in cells for output in cell.get("outputs", ()))
    for outcome in ("answer |", "unsure |", "none   |"):
        assert outcome in shown, f"the notebook shows no outcome {outcome.strip(' |')}"
