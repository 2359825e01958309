"""What is installed: a wheel with the name `footnote` to import, its types, and the command line inside it."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import cli

ROOT = Path(cli.__file__).parent
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "cli.py", "indexer", "rag", "finetune")
USE = """\
import footnote
from footnote import Answer, Collection, Engine, collections

engine = Engine(Collection("papers"))
answer = engine.ask("When was the archive opened?", k=3)
reveal_type(answer.text)
reveal_type(answer.citations[0].page)
reveal_type(collections())
Engine("default")
engine.search("tea", mode="magic")
footnote.nonsense
"""


def run(*command: str, cwd: Path, path: Path | None = None, returns: int = 0) -> str:
    """Return what a command prints that finds modules in `path` before those of this environment."""
    environment = {**os.environ, "PYTHONPATH": "" if path is None else str(path)}
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == returns, done.stdout + done.stderr
    return done.stdout


def build(kind: str, folder: Path) -> Path:
    """Return what a wheel of the sources holds, unpacked."""
    sources = folder / "sources"
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, sources / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
        else:
            sources.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, sources)
    run("-c", f"from setuptools.build_meta import build_{kind}; build_{kind}({str(folder)!r})", cwd=sources)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_four_packages_and_no_module_of_a_common_name(site: Path) -> None:
    (about,) = site.glob("*.dist-info")
    assert {path.name for path in site.iterdir()} == {"finetune", "footnote", "indexer", "rag", about.name}
    assert (about / "top_level.txt").read_text().split() == ["finetune", "footnote", "indexer", "rag"]
    assert not (site / "rag" / "package").exists()
    assert (site / "footnote" / "cli.py").read_text() == (ROOT / "cli.py").read_text()


def test_every_source_and_file_of_ours_is_in_the_wheel(site: Path) -> None:
    for floor in ("indexer", "rag", "finetune"):
        for path in (ROOT / floor).rglob("*"):
            name = path.relative_to(ROOT)
            if "__pycache__" in name.parts or name.parts[:2] == ("rag", "package"):
                continue
            if path.is_file() and path.suffix != ".mako":  # of which the next migration is made, in the repository
                assert (site / name).is_file(), f"{name} is not in the wheel"


def test_the_command_is_the_one_of_the_wheel(site: Path, tmp_path: Path) -> None:
    points = configparser.ConfigParser()
    (about,) = site.glob("*.dist-info")
    points.read(about / "entry_points.txt")
    module, _, function = points["console_scripts"]["footnote"].partition(":")
    script = f"import sys; from {module} import {function}; sys.exit({function}())"  # as pip writes it
    assert run("-c", script, "--help", cwd=tmp_path, path=site).startswith("Usage: footnote [OPTIONS] COMMAND")
    assert run("-m", "footnote", "--help", cwd=tmp_path, path=site).startswith("Usage: footnote [OPTIONS] COMMAND")


def test_the_wheel_is_asked_from_anywhere_by_either_name(site: Path, converted: Path, tmp_path: Path) -> None:
    program = f"""
import footnote, rag
assert footnote.__file__.startswith({str(site)!r}) and rag.__file__.startswith({str(site)!r})
assert footnote.Engine is rag.Engine
notes = footnote.Collection("notes", {str(tmp_path)!r})
(home,) = [{str(converted)!r}]
for name in ("encoders", "generators"):
    (notes.home / name).symlink_to(home + "/" + name)
notes.add([footnote.Given("tea", "Green tea is steeped at eighty degrees.")])
print(footnote.Engine(notes).ask("At what heat is green tea steeped?", max_error=0.5).text)
"""
    assert "eighty degrees" in run("-c", program, cwd=tmp_path, path=site)


def test_whoever_type_checks_sees_the_types_of_the_wheel(
    site: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "use.py").write_text(USE)
    cache = request.config.cache
    assert cache is not None
    seen = run(
        "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(cache.mkdir("mypy-of-wheel")), "use.py",
        cwd=tmp_path, path=site, returns=1,
    ).splitlines()  # fmt: skip
    assert [line.partition(": ")[2] for line in seen] == [
        'note: Revealed type is "str"',
        'note: Revealed type is "int | None"',
        'note: Revealed type is "list[indexer.collection.Collection]"',
        'error: Argument 1 to "Engine" has incompatible type "str"; expected "Collection"  [arg-type]',
        'error: Argument "mode" to "search" of "Engine" has incompatible type "Literal[\'magic\']"; expected '
        "\"Literal['hybrid', 'dense', 'words', 'feedback']\"  [arg-type]",
        'error: Module has no attribute "nonsense"  [attr-defined]',
    ]


def test_an_editable_installation_has_the_same_names(tmp_path: Path) -> None:
    site = build("editable", tmp_path)
    program = f"""
import site, sys
sys.meta_path[:] = [each for each in sys.meta_path if "Editable" not in getattr(each, "__name__", "")]
for name in [name for name in sys.modules if name.startswith("__editable__")]:
    del sys.modules[name]  # of the installation that runs this test, under the same name
sys.path.insert(0, {str(site)!r})
site.addsitedir({str(site)!r})
import footnote, footnote.cli, rag
print(footnote.__file__, rag.__file__, footnote.cli.main.__module__, "cli" in sys.modules)
"""
    sources = tmp_path / "sources"
    assert run("-c", program, cwd=site).split() == [
        str(sources / "rag" / "package" / "footnote" / "__init__.py"),
        str(sources / "rag" / "__init__.py"),
        "footnote.cli",
        "False",
    ]
