"""Each recipe of docs/recipes.md is run as it stands there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from rag import Collection
from tests.conftest import new_home
from tests.worlds import write_folder

ROOT = Path(cli.__file__).parent
PAPERS = {
    "archive.md": "# The archive\n\nThe archive was opened in 1921 by the town's two schoolteachers.\n",
    "rain.md": "# Rain\n\nRain fell on 212 days.\n",
}
OPENED = "When was the archive opened?"


def recipe(heading: str, language: str = "python") -> str:
    """Return the only block of code in this language below a heading."""
    text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.DOTALL | re.MULTILINE)
    return str(code)


def run(heading: str) -> dict[str, Any]:
    """Run a recipe and return what it defines."""
    defined: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(recipe(heading), f"docs/recipes.md, {heading}", "exec"), defined)  # noqa: S102  our own document
    return defined


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Path:
    """A folder with papers, and a home where they are indexed."""
    place = tmp_path_factory.mktemp("place")
    home = new_home(place / "home", converted)
    Collection("papers", home).sync([write_folder(place / "papers", PAPERS)])
    return place


@pytest.fixture(autouse=True)
def at_home(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_HOME", str(place / "home"))
    monkeypatch.setenv("HAYSTACK_TELEMETRY_ENABLED", "False")
    monkeypatch.chdir(tmp_path)


def test_every_recipe_is_run_here() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    own = Path(__file__).read_text(encoding="utf-8")
    assert [heading for heading in headings if f'"{heading}"' not in own] == []


def test_the_shop_is_searched_and_told_what_is_wrong() -> None:
    shop = run("Search for a shop, with Flask")
    kettles = [
        {"sku": "k-1", "name": "Kettle", "text": "A kettle of steel, one litre.", "price": 30},
        {"sku": "k-2", "name": "Whistling kettle", "text": "A kettle that whistles.", "price": 55.5},
        {"sku": "p-1", "name": "Pan", "text": "A pan of iron for eggs.", "price": 40},
    ]
    shop["put_on_sale"](kettles)
    client = shop["app"].test_client()
    found = client.get("/search", query_string={"q": "kettle"}).json
    assert {each["sku"] for each in found[:2]} == {"k-1", "k-2"}
    cheap = client.get("/search", query_string={"q": "kettle", "below": 50}).json
    assert {each["sku"] for each in cheap} == {"k-1", "p-1"}
    assert cheap[0] == {"sku": "k-1", "name": "Kettle", "text": "A kettle of steel, one litre."}
    refused = client.get("/search")
    assert (refused.status_code, refused.json["error"]) == (400, "The question holds no word.")
    shop["put_on_sale"]([kettles[0] | {"price": 60}])
    assert client.get("/search?q=kettle&below=50").json == []  # a pan is no kettle
    assert [each["sku"] for each in client.get("/search?q=iron+pan&below=50").json] == ["p-1"]


def test_an_asyncio_application_answers() -> None:
    app = run("Answers in an asyncio application")["app"]
    (route,) = [each for each in app.routes if getattr(each, "path", "") == "/answer"]

    async def main() -> dict[str, Any]:
        async with app.router.lifespan_context(app):
            return dict(await route.endpoint(OPENED))

    answer = asyncio.run(main())
    assert (answer["answer"], answer["answered"]) == ("1921", True)


def test_the_nightly_batch_answers_every_question(place: Path, tmp_path: Path) -> None:
    asked = [{"id": "a", "question": OPENED}, {"id": "b", "question": "Who won the football cup?"}]
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    questions.write_text("".join(json.dumps(each) + "\n" for each in asked))
    nightly = run("A nightly batch")["answer_all"]
    assert nightly(place / "papers", questions, answers).unchanged == 2
    lines = [json.loads(line) for line in answers.read_text().splitlines()]
    assert [(line["id"], line["answer"], line["answered"]) for line in lines] == [("a", "1921", True), ("b", "", False)]
    before = answers.read_bytes()
    questions.write_text('{"id": "c", "question": " "}\n')
    with pytest.raises(Exception, match="holds no word"):
        nightly(place / "papers", questions, answers)
    assert answers.read_bytes() == before


def test_continuous_integration_fails_when_answers_become_worse(tmp_path: Path) -> None:
    questions = [
        {
            "id": f"{n}",
            "question": f"How many litres does pump {n} move a minute?",
            "answers": [f"{n * 13 + 100} litres"],
        }
        for n in range(12)
    ]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(each) + "\n" for each in questions))
    good = {f"pump-{n}.md": f"# Pump {n}\n\nPump {n} moves {n * 13 + 100} litres a minute.\n" for n in range(12)}

    def job() -> int:
        for line in recipe("Evaluation in continuous integration", "sh").splitlines():
            program, *arguments = shlex.split(line)
            assert program == "footnote"
            done = CliRunner().invoke(cli.footnote, arguments, env={"NO_COLOR": "1"}, prog_name="footnote")
            if done.exit_code:
                assert arguments[:2] == ["eval", "diff"], done.output
                return done.exit_code
        return 0

    handbook = write_folder(tmp_path / "handbook", good)
    assert job() != 0  # there is nothing to compare with yet
    shutil.copytree("runs/now", "runs/accepted")
    shutil.rmtree("runs/now")
    assert job() == 0
    shutil.rmtree("runs/now")
    shutil.rmtree(handbook)
    write_folder(tmp_path / "handbook", {"pump.md": "# The pump\n\nThere is but one, and nobody has measured it.\n"})
    assert job() == 1
    assert "<html" in Path("runs/now/compared.html").read_text()


def test_a_watched_folder_is_kept_up_with(tmp_path: Path) -> None:
    folder, stop = write_folder(tmp_path / "papers", PAPERS), threading.Event()
    reports = run("Watching a folder")["keep_up"](folder, stop)
    assert next(reports).added == 2
    late = threading.Timer(2.0, lambda: (folder / "wind.md").write_text("# Wind\n\nThe wind came from the west.\n"))
    late.start()
    assert next(reports).added == 1
    stop.set()
    assert list(reports) == []


@pytest.mark.parametrize("heading", ["LangChain", "Haystack"])
def test_other_frameworks_are_given_documents(heading: str) -> None:
    documents = run(heading)["documents"]
    first = documents[0]
    assert "1921" in (first.page_content if heading == "LangChain" else first.content)


def test_llamaindex_is_given_nodes() -> None:
    assert "1921" in run("LlamaIndex")["nodes"][0].text


def test_an_agent_is_answered(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command stands in the path, as where Footnote is installed."""
    command = tmp_path / "bin" / "footnote"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nFOOTNOTE_HOME={place}/home exec {sys.executable} {cli.__file__} "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    ask = run("An agent, by MCP")["ask_an_agents_way"]

    async def main() -> Any:
        async with asyncio.timeout(180):
            return await ask(OPENED)

    assert asyncio.run(main())["answer"] == "1921"
    settings = json.loads(recipe("An agent, by MCP", "json"))["mcpServers"]["footnote"]
    assert (settings["command"], settings["args"][0]) == ("footnote", "mcp")
