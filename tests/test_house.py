"""The rules of the house that a reader cannot see in one file."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Command, Context, Group

import cli
from tests.worlds import write_folder

ROOT = Path(cli.__file__).parent
FLOORS = {"indexer": 0, "rag": 1, "finetune": 2, "cli": 3}
SOURCES = [
    ROOT / "cli.py",
    *sorted(path for floor in list(FLOORS)[:3] for path in (ROOT / floor).rglob("*.py") if not path.is_symlink()),
]
HEAVY = {
    "torch", "transformers", "sentence_transformers", "faiss", "sqlalchemy", "alembic", "openvino", "numpy", "sklearn",
    "scipy", "tokenizers", "safetensors", "trafilatura", "lxml", "docx", "pptx", "openpyxl", "pypdf", "pypdfium2",
    "PIL", "charset_normalizer", "ftfy", "pathspec", "regex", "rich", "watchfiles", "matplotlib", "fastapi",
    "starlette", "uvicorn", "pydantic", "prometheus_client",
    "symspellpy", "datasketch", "langdetect", "peft", "datasets", "accelerate",
}  # fmt: skip
TORCH = {"torch", "transformers", "sentence_transformers", "sklearn", "scipy", "alembic", "trafilatura", "docx"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)} imports relatively"
            yield node.module or ""


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_imports_only_go_down(path: Path) -> None:
    own = FLOORS[path.relative_to(ROOT).parts[0].removesuffix(".py")]
    for module in imports(path):
        top = module.split(".")[0]
        assert top != "tests", f"{named(path)} imports {module}"
        assert FLOORS.get(top, -1) <= own, f"{named(path)} imports {module}, from a higher floor"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_unsafe_is_called(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    forbidden = {
        "pickle",
        "cPickle",
        "dill",
        "joblib",
        "marshal",
        "shelve",
        "requests",
        "urllib.request",
        "http.client",
    }
    if named(path) == "rag/writing/endpoint.py":
        forbidden.remove("http.client")  # it talks to the server that the user names, and is the only file that may
    assert not forbidden.intersection(imports(path)), f"{named(path)} imports what it must not"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        assert called not in ("eval", "exec", "os.system", "os.popen", "torch.load", "yaml.load"), (
            f"{named(path)}: {called}"
        )
        assert called != "print" or path.name == "cli.py", f"{named(path)} prints"
        for keyword in node.keywords:
            said = f"{keyword.arg}={ast.unparse(keyword.value)}"
            assert said not in ("shell=True", "trust_remote_code=True", "allow_pickle=True"), f"{named(path)}: {said}"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if named(path) not in ("rag/retriever.py", "rag/fusion.py")], ids=named
)
def test_only_the_retriever_asks_the_arms_and_puts_together_what_they_find(path: Path) -> None:
    """It was once done by hand in seven places, which drifted apart: all others call `rag.retriever.Retriever`."""
    steps = {"hybrid", "standard_scores", "reciprocal_rank", "reranked", "view.words", "view.dense"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert not steps & {called, called.rpartition(".")[2]}, f"{named(path)} calls {called}"
        elif isinstance(node, ast.ImportFrom) and node.module == "rag.retriever":
            private = [alias.name for alias in node.names if alias.name.startswith("_")]
            assert not private, f"{named(path)} imports {private}"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_every_file_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree), f"{named(path)} has no docstring"


@pytest.mark.parametrize("path", [path for path in SOURCES if "migrations" not in path.parts], ids=named)
def test_nothing_public_goes_without_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{named(path)}: {node.name} has no docstring"


PROGRAM = """
import atexit, runpy, sys
report, *sys.argv[1:] = sys.argv[1:]
atexit.register(lambda: open(report, "w").write(" ".join({name.split(".")[0] for name in sys.modules})))
sys.argv[0] = "cli.py"
runpy.run_path("cli.py", run_name="__main__")
"""


def loaded_by(report: Path, *arguments: str) -> set[str]:
    """Return the packages that a process of the command line had loaded when it ended."""
    command = [sys.executable, "-c", PROGRAM, str(report), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 4), done.stderr
    return set(report.read_text().split())


@pytest.mark.parametrize(
    "command", [[], ["index"], ["search"], ["ask"], ["verify"], ["doctor"], ["eval", "qa"], ["train"], ["serve"]]
)
def test_help_loads_nothing_heavy(tmp_path: Path, command: list[str]) -> None:
    assert not loaded_by(tmp_path / "report", *command, "--help") & HEAVY


@pytest.mark.parametrize("command", [["--version"], ["collections"], ["ls", "default"], ["completion", "zsh"]])
def test_what_only_lists_loads_next_to_nothing(home: Path, tmp_path: Path, command: list[str]) -> None:
    """They took 0.4 s to say a line: an import is the price of a command, and these want the lowest floor alone."""
    report = tmp_path / "report"
    loaded_by(report, "index", str(write_folder(tmp_path / "files")))
    allowed = {"click", "indexer", "platformdirs"}
    found = {name for name in loaded_by(report, *command) if not name.startswith("_")} - sys.stdlib_module_names
    assert found <= allowed


def test_searching_and_asking_load_no_torch(home: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    loaded_by(report, "index", str(write_folder(tmp_path / "files")))
    assert not loaded_by(report, "search", "tea") & TORCH
    assert not loaded_by(report, "ask", "At what heat is green tea steeped?") & TORCH


def test_indexing_with_a_converted_encoder_loads_no_torch(home: Path, tmp_path: Path) -> None:
    assert not loaded_by(tmp_path / "report", "index", str(write_folder(tmp_path / "files"))) & (TORCH - {"alembic"})


def test_importing_the_packages_loads_nothing_heavy() -> None:
    program = """
import sys
sys.path.insert(0, "rag/package")
import footnote, rag, indexer, finetune
print(*{name.split('.')[0] for name in sys.modules})
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


def test_what_the_package_promises_is_there() -> None:
    import footnote
    import rag

    assert footnote.__all__ == rag.__all__ == sorted(rag.__all__, key=lambda name: (name.islower(), name))
    for name in rag.__all__:
        assert getattr(rag, name).__name__ == name
        assert getattr(footnote, name) is getattr(rag, name)
        assert name in dir(footnote)
    for package in (rag, footnote):
        with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nonsense'"):
            getattr(package, "nonsense")  # noqa: B009  mypy knows that there is none


# Documents about the code


def commands_of(group: Group, above: str = "") -> Iterator[tuple[str, Command]]:
    context = Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, Group):
            yield from commands_of(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def test_every_command_and_every_option_is_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert isinstance(cli.footnote, Group)
    sections = {part.split("\n", 1)[0].strip("` "): part for part in re.split(r"^## ", text, flags=re.MULTILINE)}
    for name, command in commands_of(cli.footnote):
        assert name in sections, f"docs/commands.md has no section for {name}"
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                if option.startswith("--") and option not in ("--json", "--home", "--collection"):
                    assert option in sections[name], f"docs/commands.md does not tell of {name} {option}"


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=named)
def test_links_between_documents_resolve(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            assert (path.parent / target.split("#")[0]).exists(), f"{named(path)} links to {target}"
