"""Where the time of `index` goes, in seconds of the processor by stage, which other work on the machine changes little.

Run: python -m tests.benchmarks.profile_index [PATH...] [--files 10000] [--texts 800] [--home HOME]
PATH is files or folders of one's own, as PDFs; else small files of 40 words, and then texts of 130 words, are made up.
A thread looks every 5 ms where the main thread is, and counts what the process has used since to that stage. What
reads files are processes of their own. The bar: no stage but embedding has more than 15 %.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from indexer.collection import Collection
from indexer.sync import Given
from tests.benchmarks.bench_peers import made_texts

STEP = 0.005
"""Seconds between two looks."""
BAR = 0.15
STAGES = {
    ("openvino_encoder.py", "embed_passages"): "embed",
    ("writer.py", "put"): "store",
    ("writer.py", "publish"): "publish",
    ("writer.py", "stored_vectors"): "look up vectors",
    ("sync.py", "_encoder_for"): "open the encoder",
    ("chunker.py", "chunk"): "chunk",
    ("sandbox.py", "parse_many"): "hand out files",
    ("folders.py", "find"): "find files",
}
"""What a stage is called, by file and function; of those on the stack the innermost counts."""


def main() -> int:
    """Index each of the worlds into a fresh collection and print the shares of its stages; 1 when one is too large."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", nargs="*", metavar="PATH")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--texts", type=int, default=800)
    parser.add_argument("--home", type=Path, help="where the encoder was converted before; by default the usual place")
    asked = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="footnote-profile-") as made:
        folder = Path(made)
        home = folder / "home"
        home.mkdir()
        converted = Collection(home=asked.home).home.absolute() / "encoders"
        if converted.is_dir():  # else it is converted once more, which counts as opening it
            (home / "encoders").symlink_to(converted)
        if asked.paths:
            worst = profile("what was given", lambda: collection(home, "given").sync(asked.paths))
        else:
            for number, text in enumerate(made_texts(asked.files)):
                (folder / f"{number}.md").write_text(f"# Note {number}\n\n{' '.join(text.split()[:40])}\n")
            worst = profile(f"{asked.files} small files", lambda: collection(home, "files").sync(folder))
            given = [Given(str(number), text) for number, text in enumerate(made_texts(asked.texts))]
            worst = max(worst, profile(f"{asked.texts} texts", lambda: collection(home, "texts").add(given)))
    return int(worst > BAR)


def collection(home: Path, name: str) -> Collection:
    """Return a collection that is not there yet."""
    return Collection(name, home)


def profile(title: str, work: Callable[[], object]) -> float:
    """Do the work, print where its time went, and return the largest share beside embedding."""
    spent: Counter[str] = Counter()
    done = threading.Event()
    main_thread = threading.main_thread().ident or 0

    def watch() -> None:
        before = time.process_time()
        while not done.wait(STEP):
            now = time.process_time()
            spent[stage_of(sys._current_frames().get(main_thread))] += now - before  # type: ignore[assignment]
            before = now

    watcher = threading.Thread(target=watch)
    children, began = _children(), time.perf_counter()
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    wall = time.perf_counter() - began
    spent["read (child processes)"] = _children() - children  # type: ignore[assignment]
    total = sum(spent.values()) or 1.0
    print(f"{title}: {total:.1f} s of the processor, {wall:.1f} s")
    for stage, seconds in spent.most_common():
        print(f"  {stage:24} {seconds:8.2f} s  {seconds / total:6.1%}")
    return max((seconds / total for stage, seconds in spent.items() if stage != "embed"), default=0.0)


def stage_of(frame: FrameType | None) -> str:
    """Return the stage that a stack is in: of the known functions on it the innermost."""
    for place in _stack(frame):
        if found := STAGES.get(place):
            return found
    return "other"


def _stack(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    while frame is not None:
        yield os.path.basename(frame.f_code.co_filename), frame.f_code.co_name  # noqa: PTH119
        frame = frame.f_back


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
