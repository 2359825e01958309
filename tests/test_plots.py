import math
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from rag.evaluation.plots import Judged, draw_confidence


def judged(n: int, seed: int) -> Judged:
    """Return confidences that mean what they say."""
    chance = random.Random(seed)
    confidences = [chance.random() for _ in range(n)]
    return confidences, [chance.random() < confidence for confidence in confidences]


def test_the_picture_is_an_svg_that_names_its_axes_and_lines(tmp_path: Path) -> None:
    file = tmp_path / "curves.svg"
    draw_confidence({"in domain": judged(300, 1), "out of it": judged(300, 2)}, file, "Confidence")
    root = ET.fromstring(file.read_bytes())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    said = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Confidence", "confidence", "share right", "share answered", "share wrong"} <= said
    assert {"in domain", "out of it"} <= said


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        draw_confidence({"x": judged(200, 3)}, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_the_ground_is_transparent_so_that_it_reads_in_the_dark(tmp_path: Path) -> None:
    draw_confidence({"x": judged(50, 4)}, tmp_path / "curves.svg")
    assert "#ffffff" not in (tmp_path / "curves.svg").read_text()


def test_ten_thousand_questions_make_no_large_file(tmp_path: Path) -> None:
    draw_confidence({"x": judged(10_000, 5)}, tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").stat().st_size < 300_000


def test_questions_with_nothing_to_say_can_be_drawn(tmp_path: Path) -> None:
    draw_confidence(
        {"some": ([0.9, -math.inf], [True, False]), "none": ([-math.inf], [False])}, tmp_path / "curves.svg"
    )
    assert (tmp_path / "curves.svg").exists()


def test_matplotlib_is_loaded_only_to_draw() -> None:
    program = "import sys, rag.evaluation.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
