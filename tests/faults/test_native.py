"""Native libraries whose first use comes from several threads, and commands that hang in one."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import cli
from indexer import native
from indexer.encoders.compiled import BLOB
from indexer.encoders.converted import MODEL

ROOT = Path(cli.__file__).parent
PATIENCE = 15
"""Seconds that a cold process may take; without a hang it takes one."""


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a converted model that adds one, and in which nothing compiled can be kept."""
    import importlib

    openvino = native.openvino()
    operations = importlib.import_module("openvino.opset13")
    given = operations.parameter([-1, -1], openvino.Type.f32)
    model = openvino.Model([operations.add(given, operations.constant(1.0, openvino.Type.f32))], [given])
    folder = tmp_path_factory.mktemp("model")
    openvino.save_model(model, str(folder / MODEL))
    (folder / BLOB).mkdir()
    return folder


def ended(what: str, path: Path | str = "") -> int | str:
    """Return the exit status of a cold process, or that it hung."""
    command = [sys.executable, "-m", "tests.faults.cold_start", what, str(path)]
    try:
        return subprocess.run(command, cwd=ROOT, timeout=PATIENCE, check=False).returncode
    except subprocess.TimeoutExpired:
        return "hung"


def test_no_cold_process_hangs_in_its_first_inference(small_model: Path) -> None:
    """Two threads that first converted a type in openvino's binding waited for each other, and Ctrl-C was not heard.

    One held the interpreter's lock and waited for the guard of a C++ static, the other held the guard and waited for
    the lock. Of these processes, some half hung.
    """
    with ThreadPoolExecutor(2) as pool:
        kinds = ["types", "graph", "types", "opening"] * 3
        assert list(pool.map(lambda what: ended(what, small_model), kinds)) == [0] * len(kinds)


@pytest.mark.parametrize("what", ["searching", "tokens"])
def test_no_cold_process_hangs_in_its_first_search(what: str, converted: Path) -> None:
    tokenizer = next((converted / "encoders").glob("*/tokenizer.json"))
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: ended(what, tokenizer), range(2))) == [0, 0]


DOORS = {"openvino", "faiss", "tokenizers"}
ALONE = {"indexer/encoders/conversion.py", "rag/reranking/conversion.py", "rag/copying/conversion.py"}
"""Run in processes of their own, on one thread, and with openvino's converter, which `native.openvino` leaves out."""


@pytest.mark.parametrize("floor", ["indexer", "rag"])
def test_native_libraries_are_opened_in_one_place(floor: str) -> None:
    """What is opened past `indexer.native` may be used first by two threads at once."""
    for path in (ROOT / floor).rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        typing_only = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Import | ast.ImportFrom) or id(node) in typing_only:
                continue
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            opened = {module.split(".")[0] for module in modules} & DOORS
            assert not opened or name == "indexer/native.py" or name in ALONE, f"{name} imports {opened}"


HANGING = """
import ctypes, sys
import click, cli

@cli.footnote.command()
@click.option("--python", is_flag=True)
def hang(python):
    sys.stdout.write("hanging\\n")
    sys.stdout.flush()
    if python:
        import threading
        threading.Thread(target=threading.Event().wait).start()
        threading.Event().wait()
    mutex = ctypes.create_string_buffer(64)
    native = ctypes.PyDLL(None)  # called with the interpreter's lock held
    native.pthread_mutex_lock(mutex)
    native.pthread_mutex_lock(mutex)

cli.main()
"""


def hanging(*options: str) -> subprocess.Popen[str]:
    """Start a command that waits for itself: in native code with the interpreter's lock, or in Python."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, "hang", *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "hanging\n"
    time.sleep(0.5)  # it says so before it does
    return process


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Python handles every signal itself")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_a_command_that_hangs_in_native_code(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM were both left to Python, which no longer ran."""
    with hanging() as process:
        try:
            process.send_signal(number)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)
            process.send_signal(number)
            assert process.wait(2) == -number
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_ends_a_command_whose_threads_do_not_end(number: signal.Signals, code: int) -> None:
    with hanging("--python") as process:
        try:
            begun = time.monotonic()
            process.send_signal(number)
            _, told = process.communicate(timeout=10)
            assert (process.returncode, told.startswith("Stopped.")) == (code, True)
            assert time.monotonic() - begun < 3
        finally:
            process.kill()
