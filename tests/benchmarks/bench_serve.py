"""Questions a second of the service at 1, 8 and 32 clients, against one-at-a-time serving in the same run.

    python -m tests.benchmarks.bench_serve QUESTIONS.jsonl [--collection NAME] [--home DIR] [--generator NAME]

Three servers answer the same questions, each in a process of its own and in turns: `footnote serve`; the same with
batches of one (FOOTNOTE_BATCH=1); and a plain HTTP server that calls `Engine.ask` for one request at a time, as an
application would that knows of no more. Clients keep their connections and ask without a pause; their own time is on
the same processors. Beside other work, the servers' processor time says more than the clock.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import numpy as np

import cli
from indexer.collection import Collection
from rag.engine import Engine
from rag.evaluation.data import read_questions
from rag.evaluation.qa import chosen

CLIENTS = (1, 8, 32)
WARM = 4
"""Questions asked before the time is taken."""


@dataclass(frozen=True, slots=True)
class Served:
    """What one server did for so many clients."""

    seconds: float
    processor_seconds: float
    """Of the server, over all its threads."""
    latencies: list[float]
    answers: dict[str, str]
    refused: int

    @property
    def rate(self) -> float:
        """Questions answered a second."""
        return len(self.latencies) / self.seconds


@click.command()
@click.argument("questions", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--collection", default="default")
@click.option("--home")
@click.option("--generator")
@click.option(
    "--limit", default=96, show_default=True, help="Questions asked of each server, by each number of clients."
)
@click.option("--clients", multiple=True, type=int, default=CLIENTS, show_default=True)
@click.option("--plainly", is_flag=True, hidden=True, help="Be the plain server.")
def main(
    questions: Path | None, collection: str, home: str | None, generator: str | None, limit: int,
    clients: tuple[int, ...], plainly: bool,
) -> None:  # fmt: skip
    """Time the servers, and print a line for each number of clients."""
    if plainly:
        serve_plainly(Engine(Collection(collection, home), generator))
        return
    if questions is None:
        raise click.UsageError("QUESTIONS.jsonl is missing.")
    texts = [each.text for each in chosen(read_questions(questions).questions, None, limit)]
    options = ["--collection", collection]
    options += ["--home", home] if home else []
    options += ["--generator", generator] if generator else []
    serve = [str(Path(cli.__file__)), "serve", "--port", "0", *options]
    ways: dict[str, tuple[list[str], dict[str, str]]] = {
        "one at a time": (["-m", "tests.benchmarks.bench_serve", "--plainly", *options], {}),
        "batches of 1": (serve, {"FOOTNOTE_BATCH": "1"}),
        "footnote serve": (serve, {}),
    }
    print(f"{len(texts)} questions of {questions.name} for each server and number of clients")
    with contextlib.ExitStack() as running:
        servers = {way: running.enter_context(server(*how)) for way, how in ways.items()}
        for each in servers.values():
            ask_all(each, texts[:WARM], 1)
        for number in clients:
            show(number, {way: ask_all(each, texts, number) for way, each in servers.items()})


def show(clients: int, served: dict[str, Served]) -> None:
    """Print what each server did, and how many times as many questions as the first."""
    first = next(iter(served.values()))
    same = all(each.answers == first.answers for each in served.values())
    print(f"{clients} client{'s' if clients > 1 else ''}, answers {'identical' if same else 'NOT identical'}")
    for way, each in served.items():
        p50, p95 = (1000 * float(np.quantile(each.latencies, share)) for share in (0.5, 0.95))
        refused = f", {each.refused} refused" if each.refused else ""
        ratio = each.rate / first.rate
        cost = 1000 * each.processor_seconds / len(each.latencies)
        print(
            f"  {way:16}{each.rate:7.1f} a second   p50 {p50:6.0f} ms   p95 {p95:6.0f} ms   "
            f"{cost:6.0f} ms of processor each   {ratio:5.2f} times{refused}"
        )


@contextlib.contextmanager
def server(command: Sequence[str], environment: dict[str, str]) -> Iterator[Server]:
    """Run a server, and hand it out once it says at which port it listens."""
    with subprocess.Popen(
        [sys.executable, *command], stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        assert process.stderr is not None
        port = 0
        while not port:
            line = process.stderr.readline()
            if not line:
                raise click.ClickException(f"{command[0]} ended.")
            port = int(found[1]) if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)) else 0
        threading.Thread(target=process.stderr.read, daemon=True).start()  # its log, so that the pipe does not fill
        try:
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait(60)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    port: int
    pid: int

    @property
    def processor_seconds(self) -> float:
        """Processor time that it has taken (Linux: proc(5), utime and stime)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask_all(server: Server, texts: Sequence[str], clients: int) -> Served:
    """Ask every question once, by so many clients at a time."""
    left = itertools.count()
    latencies: list[float] = []
    answers: dict[str, str] = {}
    refused: list[int] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        while (number := next(left)) < len(texts):
            begun = time.perf_counter()
            body = json.dumps({"question": texts[number]})
            connection.request("POST", "/v1/ask", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            said = json.loads(response.read())
            if response.status != 200:
                refused.append(response.status)
                continue
            latencies.append(time.perf_counter() - begun)
            answers[texts[number]] = said["answer"]
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    begun, taken = time.perf_counter(), server.processor_seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, taken = time.perf_counter() - begun, server.processor_seconds - taken
    return Served(seconds, taken, latencies, answers, len(refused))


def serve_plainly(engine: Engine) -> None:
    """Serve `Engine.ask` over HTTP, one question at a time, until a signal ends it."""
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with one_at_a_time:
                answer = engine.ask(asked["question"])
            said = json.dumps(answer.to_json()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        print(f"http://127.0.0.1:{listening.server_port}", file=sys.stderr, flush=True)
        listening.serve_forever()


if __name__ == "__main__":
    main()
