"""What every command prints with --json is a contract: its keys, types and values, compared with tests/golden/.

After an intended change: pytest tests/test_json_contract.py --update-golden, and say in docs/commands.md and in
CHANGELOG.md what changed. Keys may be added; none may go or change its type.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click import Context, Group
from click.testing import CliRunner

import cli
from tests.conftest import new_home
from tests.worlds import write_folder

GOLDEN = Path(__file__).parent / "golden"
VOLATILE = {
    "seconds",
    "score",
    "confidence",
    "bytes",
    "fingerprint",
    "pipeline",
    "detail",
    "timings_ms",
    "time",
    "precisions",
}
BEES = "How many bees does a hive hold?"

SCENARIO: list[tuple[str, int, list[str]]] = [
    ("index", 0, ["index", "WORLD/files"]),
    ("index-strict", 3, ["index", "WORLD/files", "WORLD/noise", "--strict"]),
    ("search", 0, ["search", "green tea", "-k", "1"]),
    ("search-explain", 0, ["search", "green tea", "-k", "1", "--explain"]),
    ("search-nothing", 4, ["search", "zeppelin", "--mode", "words"]),
    ("ask", 0, ["ask", BEES, "-k", "1"]),
    ("open", 0, ["open", "--print"]),
    ("ask-refused", 4, ["ask", "Which football club won the cup?", "-k", "1", "--filter", "source=pump.md"]),
    ("verify", 0, ["verify", "WORLD/answer.json"]),
    ("verify-fails", 1, ["verify", "WORLD/changed.json"]),
    ("status", 0, ["status"]),
    ("status-sources", 0, ["status", "--sources"]),
    ("show", 0, ["show", "tea.md"]),
    ("show-text", 0, ["show", "tea.md", "--text"]),
    ("collections", 0, ["collections"]),
    ("ls", 0, ["ls"]),
    ("ls-documents", 0, ["ls", "default"]),
    ("history", 0, ["history"]),
    ("history-clear", 0, ["history", "--clear"]),
    ("doctor", 0, ["doctor"]),
    ("export", 0, ["export", "WORLD/all.footnote"]),
    ("import", 0, ["import", "WORLD/all.footnote", "--collection", "copy"]),
    ("remove", 0, ["remove", "bees.txt"]),
    ("collections-rename", 0, ["collections", "rename", "copy", "other"]),
    ("collections-delete", 0, ["collections", "delete", "other", "--yes"]),
]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Iterator[dict[str, Any]]:
    """What each command of the scenario printed, run one after the other in one world."""
    world = tmp_path_factory.mktemp("world")
    write_folder(world / "files")
    (world / "noise").mkdir()
    (world / "noise" / "noise.bin").write_bytes(bytes(range(256)) * 8)
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        new_home(world / "home", converted, patch.setenv)
        for name, code, arguments in SCENARIO:
            command = [argument.replace("WORLD", str(world)) for argument in [*arguments, "--json"]]
            result = CliRunner().invoke(cli.footnote, command, prog_name="footnote")
            assert result.exit_code == code, (name, result.output, result.exception)
            found[name] = masked(json.loads(result.stdout), str(world))
            if name == "ask":
                write_answers(world, json.loads(result.stdout))
        yield found


def write_answers(world: Path, answer: dict[str, Any]) -> None:
    (world / "answer.json").write_text(json.dumps(answer))
    answer["citations"][0]["quote"] = "A hive holds forty bees."
    (world / "changed.json").write_text(json.dumps(answer))


def masked(value: Any, world: str, key: str = "") -> Any:
    """Return the value without what differs from one run or one machine to the next; types stay visible."""
    if isinstance(value, dict):
        return {name: masked(each, world, name if key != "timings_ms" else key) for name, each in value.items()}
    if isinstance(value, list):
        return [masked(each, world, key) for each in value]
    if key in VOLATILE and value is not None:
        return f"<{type(value).__name__}>"
    return value.replace(world, "WORLD") if isinstance(value, str) else value


@pytest.mark.parametrize("name", [name for name, _, _ in SCENARIO])
def test_json_is_as_it_was_promised(printed: dict[str, Any], name: str, request: pytest.FixtureRequest) -> None:
    file = GOLDEN / f"{name}.json"
    if request.config.getoption("--update-golden"):
        file.write_text(json.dumps(printed[name], ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    assert printed[name] == json.loads(file.read_text(encoding="utf-8"))


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == {name for name, _, _ in SCENARIO}


def test_every_command_is_held_to_its_contract() -> None:
    context = Context(cli.footnote)
    named = {name: cli.footnote.get_command(context, name) for name in cli.footnote.list_commands(context)}
    single = {name for name, command in named.items() if not isinstance(command, Group)} | {"collections"}
    single -= {"mcp", "serve"}  # they print nothing and serve until they are ended; their tests hold them to schemas
    single -= {"help", "completion"}  # what they print is for a person and for a shell
    assert {arguments[0] for _, _, arguments in SCENARIO} == single  # what trains is held to its own in its tests
