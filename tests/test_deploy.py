"""What deploy/ promises: an image without torch and root, a unit that is closed in, and settings that exist."""

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import cli
from indexer.readers.ocr import LANGUAGES
from rag.service.settings import Settings
from tests.worlds import write_folder

ROOT = Path(cli.__file__).parent
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
UNIT = (ROOT / "deploy" / "footnote.service").read_text(encoding="utf-8")
MODULES = {"sentence-transformers": "sentence_transformers", "scikit-learn": "sklearn"}
WITHOUT = """
import runpy, sys
blocked, *sys.argv[1:] = sys.argv[1:]
sys.modules.update(dict.fromkeys(blocked.split(",")))
sys.argv[0] = "cli.py"
runpy.run_path("cli.py", run_name="__main__")
"""


def left_out() -> list[str]:
    (packages,) = re.findall(r"pip uninstall --yes ([\w \-]+)", DOCKERFILE)
    return [MODULES.get(name, name) for name in packages.split()]


def run_without(modules: list[str], *arguments: str) -> str:
    """Return what the command line prints where these modules are not installed."""
    command = [sys.executable, "-c", WITHOUT, ",".join(modules), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_indexing_and_asking_go_without_what_the_image_leaves_out(home: Path, tmp_path: Path) -> None:
    assert "torch" in left_out()
    page = "<html><body><article><h1>Bees</h1><p>A hive holds up to sixty thousand bees.</p></article></body></html>"
    folder = write_folder(
        tmp_path / "files", {"tea.md": "Green tea is steeped at eighty degrees.\n", "bees.html": page}
    )
    run_without(left_out(), "index", str(folder), "--strict")
    assert "eighty" in run_without(left_out(), "ask", "At what heat is green tea steeped?", "--max-error", "0.5")


def test_the_image_runs_as_nobody_and_holds_no_secret() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    run = stages[1]
    assert re.search(r"^USER footnote$", run, flags=re.MULTILINE)
    assert run.index("USER footnote") < run.index("ENTRYPOINT")
    assert "pip install" not in run
    assert not re.search(r"(ENV|ARG)[^\n]*TOKEN", DOCKERFILE)


def test_what_the_image_copies_is_there_and_is_let_in() -> None:
    let_in = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, flags=re.MULTILINE)
              for name in line.split() if not name.startswith("--")]  # fmt: skip
    assert "rag" in copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in let_in, name


def test_the_container_gives_a_new_home_its_models_and_leaves_an_old_one_alone(tmp_path: Path) -> None:
    """The script of the image, with its folder moved here and a `footnote` that says how it was called."""
    image, home = tmp_path / "image", tmp_path / "home"
    write_folder(
        image, {"encoders/one/model": "new", "generators/two/model": "new", "bin/footnote": '#!/bin/sh\necho "$@"\n'}
    )
    (image / "bin" / "footnote").chmod(0o755)
    home.mkdir()
    script = (ROOT / "deploy" / "start").read_text(encoding="utf-8").replace("/opt/footnote", str(image))
    environment = {"PATH": f"{image}/bin{os.pathsep}{os.environ['PATH']}", "FOOTNOTE_HOME": str(home)}

    def start() -> str:
        done = subprocess.run(["sh", "-c", script, "start", "serve", "--port", "1"], env=environment, check=True,
                              capture_output=True, text=True)  # fmt: skip
        return done.stdout

    assert start() == "serve --port 1\n"
    assert (home / "encoders" / "one" / "model").read_text() == "new"
    (home / "generators" / "two" / "model").write_text("the user's own")
    start()
    assert (home / "generators" / "two" / "model").read_text() == "the user's own"
    assert sorted(each.name for each in home.iterdir()) == ["encoders", "generators"]


def test_the_unit_is_closed_in() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT)
    service = unit["Service"]
    assert service["User"] == "footnote"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["IPAddressDeny"] == "any"
    assert float(service["TimeoutStopSec"]) > Settings().drain_seconds


def test_the_image_reads_scans_in_the_languages_that_are_chosen() -> None:
    (run,) = re.findall(
        r"^RUN packages=\$\((.*?)\) \\\n(.*?[^\\])\n(?=[A-Z])", DOCKERFILE, flags=re.MULTILINE | re.DOTALL
    )
    names, install = run
    for chosen, packages in (
        ("eng", "tesseract-ocr-eng"),
        ("deu+chi_sim+eng", "tesseract-ocr-deu tesseract-ocr-chi-sim tesseract-ocr-eng"),
    ):
        done = subprocess.run(["sh", "-c", names], env={"PATH": os.environ["PATH"], "OCR_LANGUAGE": chosen}, check=True,
                              capture_output=True, text=True)  # fmt: skip
        assert done.stdout.split() == packages.split()
    assert "apt-get install --yes --no-install-recommends tesseract-ocr $packages" in install
    assert "rm -rf /var/lib/apt/lists/*" in install
    stage = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[2]
    assert stage.index("apt-get install") < stage.index("USER footnote")
    assert f"ENV {LANGUAGES}=$OCR_LANGUAGE" in stage
    assert 'ARG OCR_LANGUAGE="eng"' in stage


def test_the_variables_that_are_told_of_are_settings() -> None:
    text = UNIT + DOCKERFILE + (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    known = {f"FOOTNOTE_{name.upper()}" for name in Settings.__slots__} | {LANGUAGES}
    told = set(re.findall(r"FOOTNOTE_[A-Z_]+", text))
    assert told
    assert told <= known
