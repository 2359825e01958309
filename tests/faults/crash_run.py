"""Kills writers, and shows that nothing is lost: `python -m tests.faults.crash_run --kills 1000 --seed 7`.

Each trial copies a collection, lets a child process change it, kills that child (at a random moment, at a random call
of the storage seam, or at a named point of it), sometimes kills those that recover as well, and then lets a fresh
process say what is there. The invariants (I1 to I7) are in `faults_of`. A trial is its seed: the same seed is the same
trial, up to the moment of a kill by time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.faults import crash_child
from tests.worlds import article, write_folder

OLD = {f"n{number:02d}": article(f"topic{number}", 1 + number % 3) for number in range(16)}
NEW = {name: article(f"topic{name}", 2, seed=1) if name < "n06" else text for name, text in OLD.items()} | {
    f"m{number}": article(f"more{number}", 2) for number in range(4)
}
KEPT = {name: text for name, text in OLD.items() if name >= "n07"}
FILES_OLD = {f"{name}.md": text for name, text in list(OLD.items())[:8]}
FILES_NEW = {f"{name}.md": text for name, text in list(NEW.items())[2:9]} | {"extra/new.txt": "A text that is new.\n"}

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.crash_child"])


@dataclass(frozen=True)
class Scene:
    """What is there before, and what the child does to it."""

    action: str
    before: dict[str, str] | None
    texts: dict[str, str]
    prepare: Callable[[Path], None] = lambda home: None
    files: dict[str, str] = field(default_factory=dict)


def _damage(home: Path) -> None:
    for path in (home / "collections" / crash_child.NAME).glob("epoch-*/segments/*.faiss"):
        data = bytearray(path.read_bytes())
        data[-5] ^= 1
        path.write_bytes(data)


SCENES = {
    "create": Scene("add", None, OLD),
    "change": Scene("add", OLD, NEW),
    "remove": Scene("remove", OLD, KEPT),
    "rebuild": Scene("rebuild", OLD, OLD),
    "files": Scene("files", {}, {}, files=FILES_NEW),
    "import": Scene("import", None, OLD),
    "repair": Scene("repair", OLD, OLD, prepare=_damage),
}


@dataclass(frozen=True)
class Known:
    """What an undisturbed run of a scene did: the states before and after, calls at the seam, and seconds."""

    home: Path
    files: Path
    before: dict[str, Any]
    after: dict[str, Any]
    counts: dict[str, int]
    seconds: float


@dataclass
class Trial:
    """One trial, as it is written to its artefact."""

    seed: int
    scene: str
    kills: list[str] = field(default_factory=list)
    killed: int = 0
    faults: list[str] = field(default_factory=list)


_one_at_a_time = threading.Lock()
"""multiprocessing looks after all its children whenever it starts one, and two threads may then read one exit code."""


def _in_process(function: Callable[..., None], *arguments: object, kill_after: float | None = None) -> int:
    """Run a function in a process of its own, kill it if asked to, and return its exit code."""
    process = _context.Process(target=function, args=arguments)
    with _one_at_a_time:
        process.start()
    if kill_after is not None:
        promises = Path(str(arguments[-1]))
        while _runs(process) and not (promises.exists() and promises.stat().st_size):
            time.sleep(0.001)
        time.sleep(kill_after)
        process.kill()
    give_up = time.monotonic() + 120
    while _runs(process):
        time.sleep(0.002)
        if time.monotonic() > give_up:
            process.kill()
    return int(process.exitcode or 0)


def _runs(process: ForkServerProcess) -> bool:
    with _one_at_a_time:
        return process.is_alive()


def learn(name: str, root: Path) -> Known:
    """Run a scene undisturbed."""
    scene, home, files = SCENES[name], root / name / "home", root / name / "files"
    home.mkdir(parents=True)
    write_folder(files, FILES_OLD if scene.files else {}).mkdir(exist_ok=True)
    promises = str(root / name / "promises")

    def run(where: Path, action: str, texts: dict[str, str]) -> None:
        _check(_in_process(crash_child.run, str(where), action, texts, str(files), "", promises))

    if scene.action == "files":
        run(home, "files", {})
    elif scene.before is not None:
        run(home, "add", scene.before)
    if scene.action == "import":
        run(root / name / "other", "add", scene.texts)
        _check(_in_process(crash_child.export, str(root / name / "other"), str(home / "export.zip")))
    scene.prepare(home)
    if scene.files:
        shutil.rmtree(files)
        write_folder(files, scene.files)
    done = root / name / "done"
    shutil.copytree(home, done)
    started = time.monotonic()
    run(done, scene.action, scene.texts)
    seconds = time.monotonic() - started
    counts = json.loads(Path(promises).with_suffix(".counts").read_text())
    return Known(home, files, _state_of(home), _state_of(done), counts, seconds)


def _check(code: int) -> None:
    if code != 0:
        raise RuntimeError(f"an undisturbed run ended with {code}")


def _state_of(home: Path) -> dict[str, Any]:
    file = home.with_suffix(".json")
    _check(_in_process(crash_child.save_state, str(home), str(file)))
    return dict(json.loads(file.read_text()))


def try_once(seed: int, known: dict[str, Known], root: Path, point: tuple[str, str] | None = None) -> Trial:
    """Run one trial: kill, perhaps kill those who recover, judge. `point` names a scene and where to kill in it."""
    chance = random.Random(seed)
    name = point[0] if point else sorted(SCENES)[seed % len(SCENES)]
    scene, learned, trial = SCENES[name], known[name], Trial(seed, name)
    home = root / f"trial-{seed}"
    work = (str(home), scene.action, scene.texts, str(learned.files))
    shutil.copytree(learned.home, home)
    try:
        promises: list[Any] = []
        for _ in range(1 if point else chance.choice((1, 1, 1, 2, 3, 5))):
            file = root / f"promises-{seed}-{len(trial.kills)}"
            kill, after = (
                (point[1], None) if point else _choose(chance, learned, seed // len(SCENES) + len(trial.kills))
            )
            trial.kills.append(kill or f"after {after:.4f} s")
            code = _in_process(crash_child.run, *work, kill, str(file), kill_after=after)
            promises += [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
            trial.killed += code == -signal.SIGKILL
            if code not in (0, -signal.SIGKILL) or (code == 0 and promises[-1:] != ["DONE"]):
                trial.faults.append(f"I7: ended with {code} after {promises[-1:]}")
            if code == 0:
                break
        report = root / f"report-{seed}.json"
        code = _in_process(crash_child.judge, *work, str(report))
        found = json.loads(report.read_text()) if code == 0 else {"failed": f"it ended with {code}"}
        if "failed" in found:
            trial.faults.append(f"a fresh process could not read or finish what was left: {found['failed']}")
        else:
            told = [each for each in promises if isinstance(each, dict)]
            trial.faults += faults_of(name, learned, found, told)
    finally:
        if not trial.faults:
            shutil.rmtree(home)
    return trial


def _choose(chance: random.Random, learned: Known, turn: int) -> tuple[str, float | None]:
    """Return a point of the seam to be killed at, or a time to be killed after: the three kinds by turns."""
    if turn % 3 == 0:
        return "", chance.uniform(0, learned.seconds)
    if turn % 3 == 1:
        return f"io:{chance.randint(1, learned.counts['io'])}", None
    points = sorted(set(learned.counts) - {"io"})
    point = points[turn // 3 % len(points)]
    return f"{point}:{chance.randint(1, learned.counts[point])}", None


def faults_of(name: str, learned: Known, found: dict[str, Any], promises: list[dict[str, Any]]) -> list[str]:
    """Return the invariants that do not hold."""
    scene, left, finished = SCENES[name], found["left"], found["finished"]
    before, after = learned.before["documents"] or {}, learned.after["documents"]
    faults = []
    if left["documents"] is None and scene.before is not None:
        faults.append("the collection is gone")
    documents = left["documents"] or {}
    if scene.action in ("add", "remove", "files"):
        for promise in promises:
            faults += [
                f"I1: {source} was promised and is not as promised"
                for source in promise["sources"]
                if documents.get(source) != after.get(source)
            ]
            if left["generation"] < promise["generation"]:
                faults.append(f"I1: generation {promise['generation']} was promised, {left['generation']} is there")
    elif left["documents"] is not None and documents not in (before, after):
        faults.append("I2: neither the state before nor the one after")
    if documents != before and left["generation"] <= learned.before["generation"] and scene.before is not None:
        faults.append("I2: other documents under the same generation")
    for source in {*documents, *before}:
        if documents.get(source) not in (before.get(source), after.get(source)):
            faults.append(f"I2: {source} is neither as before nor as after")
    tolerated = ("leftovers",) + (("segments",) if name == "repair" else ())
    faults += [f"I2-I4: {each}" for each in left["complaints"] if not each.startswith(tolerated)]
    if finished["hash"] != learned.after["hash"]:
        faults.append("I5: the finished state is not that of an undisturbed run")
    if finished["documents"] != after:
        faults.append("I5: the finished documents are not those of an undisturbed run")
    faults += [f"I6: {each}" for each in finished["complaints"]]
    if len(found["names"]) != 3:
        faults.append(f"I6: the folder holds {found['names']}")
    return faults


def run_trials(
    kills: int, seed: int, known: dict[str, Known], root: Path, artefacts: Path, workers: int = 2
) -> tuple[int, list[Trial]]:
    """Run trials until `kills` processes were killed; return how many, and the trials that found a fault.

    Each of these leaves `artefacts/crash-SEED.json`.
    """
    killed, failed, next_seed = 0, [], seed
    with ThreadPoolExecutor(workers) as pool:
        while killed < kills:
            seeds = range(next_seed, next_seed + 8 * workers)
            next_seed = seeds.stop
            for trial in pool.map(lambda each: try_once(each, known, root), seeds):
                killed += trial.killed
                if trial.faults:
                    failed.append(trial)
                    artefacts.mkdir(parents=True, exist_ok=True)
                    (artefacts / f"crash-{trial.seed}.json").write_text(json.dumps(asdict(trial), indent=1))
    return killed, failed


def sweep(known: dict[str, Known], root: Path, workers: int = 2) -> list[Trial]:
    """Kill each scene at each of its named points, the last time it comes there, and at its first commits."""
    points = [
        (name, f"{point}:{number}")
        for name, learned in sorted(known.items())
        for point, count in sorted(learned.counts.items())
        if point not in ("io", "execute", "flock")
        for number in sorted({count, *range(1, min(count, 3) + 1)} if point == "commit" else {count})
    ]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda place: try_once(-place[0], known, root, place[1]), enumerate(points, 1)))


def main() -> int:
    """Run as many kills as asked for, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--artefacts", type=Path, default=Path("crash-artefacts"))
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as root:
        known = {name: learn(name, Path(root)) for name in sorted(SCENES)}
        swept = sweep(known, Path(root))
        killed, failed = run_trials(options.kills, options.seed, known, Path(root), options.artefacts)
        killed, failed = killed + sum(trial.killed for trial in swept), failed + [each for each in swept if each.faults]
    sys.stdout.write(f"{killed} kills in {time.monotonic() - started:.0f} s, {len(failed)} trials with faults\n")
    for trial in failed:
        sys.stdout.write(json.dumps(asdict(trial)) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
