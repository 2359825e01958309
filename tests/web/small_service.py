"""A small service for tests of the page: the real forms of requests, responses and events, made up beforehand.

What it answers is made of its documents, so that every offset is a true one. A question's first words choose what
happens: see `SmallService.ask`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from rag.service import schemas
from rag.service.page import INDEX, POLICY, page_file
from tests.web.papers import (
    ARCHIVE,
    FERRY,
    HOSTILE,
    PRICES,
    RAIN,
    STATIONS,
    STEPS,
    STORED,
    WAGES,
    WORKBOOK,
    Paper,
    Refusal,
    world,
)
from tests.web.small_page_routes import page_routes


@dataclass
class SmallService:
    """What the service holds, and what it was asked."""

    papers: dict[str, list[Paper]] = field(default_factory=lambda: {"default": world(), "other": []})
    asked: list[dict[str, Any]] = field(default_factory=list)
    unfinished: int = 0
    """Answers that were abandoned by whoever had asked."""
    may_end: threading.Event = field(default_factory=threading.Event)
    """Set when a draft has been seen for long enough."""
    pages: dict[str, dict[int, list[list[float]]]] = field(default_factory=dict)
    """Boxes of whatever is quoted, by page, of the documents whose pages can be drawn, by name."""
    drawn: list[tuple[str, int, str]] = field(default_factory=list)
    """Pages that were drawn: name, number, scale."""
    folders: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Documents that indexing the folders again would remove."""
    pruned: list[bool] = field(default_factory=list)
    """Of each time that files were read again, whether what is gone was to be removed."""
    verified: list[str] = field(default_factory=list)
    """The texts of the answers that were checked."""
    refusals: list[Refusal] = field(default_factory=list)
    """What is answered to the next requests, instead of what they want."""

    def paper(self, collection: str, id: str) -> Paper:
        """Return a document by its id."""
        for paper in self.papers.get(collection, []):
            if paper.id == id:
                return paper
        raise Refusal(404, "not_found", "There is no such document.", "It may have been removed.")

    def answer(self, asked: schemas.AskRequest) -> dict[str, Any]:
        """Return the answer to a question, chosen by its first word."""
        read = self.papers[asked.collection or "default"]
        known = {paper.name: paper for paper in read}
        text, confidence, citations, bare = "", 0.12, [], []
        more: dict[str, Any] = {}
        match first_word(asked.question):
            case "When":
                text, confidence = "1921", 0.83
                quote = next(part for part in ARCHIVE.split("\n\n") if "1921" in part)
                citations = [known["archive.md"].citation(1, quote, "1921", [[0, 4]])]
                start = quote.index("1921")
                more["copied"] = [{"start": 0, "end": 4, "citation": 1, "quote_start": start, "quote_end": start + 4}]
            case "Maybe":
                text, confidence = "No. Snow fell on 9 days, and the archive was closed on two of them.", 0.31
                quote = RAIN.strip().split("\n\n")[1]
                citations = [
                    known["rain.pdf"].citation(1, quote, "closed", [[4, len(text)]]),
                    read[0].citation(2, "The roof was mended in June 2019.", "June 2019", []),
                ]
                more = {"outcome": "unsure", "form": "yes-no", "written": [[0, 4]], "notes": ["Read by its words."]}
            case "Steps":
                text, confidence = STEPS.strip("\n"), 0.7
                paper = Paper("steps.md", STEPS)
                start = text.index("```sh")
                more = {"form": "steps", "code": [[start, len(text)]]}
                citations = [paper.citation(1, text, text, [[0, len(text)]])]
            case "Who":
                text, confidence = "Ada Holm and Per Lind; the sky is green.", 0.61
                quote = next(part for part in ARCHIVE.split("\n\n") if "1921" in part)
                citations = [
                    known["archive.md"].citation(1, quote, "Ada Holm and Per Lind", [[0, 21]]),
                    known["rain.pdf"].citation(2, "Rain fell on 212 days.", "212 days", [[0, 21]]),
                ]
                bare = [[23, 40]]
            case "Yes":
                text, confidence = "Yes.", 0.88
                quote = "The roof was mended in June 2019."
                citations = [known["archive.md"].citation(1, quote, quote, [[0, 4]])]
                more = {"form": "yes-no", "written": [[0, 4]]}
            case "Bread":
                text, confidence = "3", 0.9
                paper = Paper("prices.csv", PRICES)
                quote = PRICES.split("\n")[0]
                citations = [paper.citation(1, quote, "3", [[0, 1]])]
                at = quote.index("3")
                more["copied"] = [{"start": 0, "end": 1, "citation": 1, "quote_start": at, "quote_end": at + 1}]
            case "Keeper" | "Fuel":
                sheet = first_word(asked.question) == "Fuel"
                paper = Paper("budget.xlsx", WORKBOOK) if sheet else Paper("stations.csv", STATIONS)
                start = paper.text.index("Item: Fuel" if sheet else "Station: Kes220")
                quote = paper.text[start : paper.text.index("\n", start)]
                text, confidence = "310" if sheet else "Per Lind", 0.9
                citations = [
                    paper.citation(1, quote, text, [[0, len(text)]]),
                    known["rain.pdf"].citation(2, RAIN[:22], "212", []),
                ]
                at = quote.index(text)
                more["copied"] = [
                    {"start": 0, "end": len(text), "citation": 1, "quote_start": at, "quote_end": at + len(text)}
                ]
            case "Ferry":
                lead = "1 of 4 documents:\nferry times.txt: "
                text, confidence = lead + FERRY.strip(), 0.9
                paper = Paper("ferry times.txt", FERRY, origin="upload", stored=STORED)
                citations = [paper.citation(1, FERRY.strip(), FERRY.strip(), [[len(lead), len(text)]])]
                more = {"form": "count", "written": [[0, 18], [18, len(lead)]], "documents": 4}
            case "Wages":
                rows = [line for line in WAGES.splitlines() if line.startswith(("| m", "| b"))]
                text, confidence = "\n".join(rows), 0.8
                paper = Paper("wages.md", WAGES)
                ends = [len(rows[0]), len(text)]
                starts = [0, len(rows[0]) + 1]
                citations = [paper.citation(n + 1, row, row, [[starts[n], ends[n]]]) for n, row in enumerate(rows)]
                more["form"] = "list"
                more["copied"] = [
                    {"start": starts[n], "end": ends[n], "citation": n + 1, "quote_start": 0, "quote_end": len(row)}
                    for n, row in enumerate(rows)
                ]
            case "Hostile":
                text, confidence = HOSTILE.split("\n\n")[1].strip(), 0.9
                citations = [known["<b>hostile</b>.md"].citation(1, text, "evil", [[0, len(text)]])]
        outcome = more.get("outcome", "answer" if text else "none")
        texts = {
            "markdown": f"## {asked.question}\n\n{text}[^1] `[^1]`\n\n[^1]: a footnote",
            "plain": f"{asked.question}\n\n{text} [1]\n\n[1] a footnote",
        }
        passages = [paper.passage(rank, asked.explain) for rank, paper in enumerate(read[: asked.k], 1)]
        for passage in passages if outcome != "answer" else ():
            end = passage["text"].index("\n")
            passage.update(excerpt=[[2, end]], matches=[[2, 5]])
        return {
            "question": asked.question, "answer": text, "answered": outcome == "answer", "outcome": outcome,
            "form": "fact", "confidence": confidence, "documents": 0, "notes": [], "code": [],
            "read_as": f"{asked.history[-1]} {asked.question}" if asked.history and " it" in asked.question else "",
            "citations": citations, "unsupported": bare, "copied": [], "written": [],
            "passages": passages,
            "timings_ms": {"queue": 1.0, "embed": 9.1, "retrieve": 12.0, "generate": 40.3}, "generator": "copying",
            "collection": asked.collection or "default", "generation": 4,
            "texts": texts if asked.texts else None,
            "meant": "" if text or "Kestrell" not in asked.question else asked.question.replace("Kestrell", "Kestrel"),
            **more,
        }  # fmt: skip

    async def ask(self, asked: schemas.AskRequest) -> AsyncIterator[str]:
        """Yield the events of an answer. "Draft" writes first and waits for `may_end`, "Cut" stops, "Broken" fails."""
        first = first_word(asked.question)
        made = schemas.AskResponse.model_validate(self.answer(asked))
        try:
            yield event("stage", schemas.Stage(stage="search"))
            yield event("passages", schemas.Passages(passages=made.passages))
            yield event("stage", schemas.Stage(stage="read"))
            if first == "Draft":
                for word in ("It may ", "have been <b>", "in 1920</b>."):
                    yield event("writing", schemas.Writing(text=word))
                    await asyncio.sleep(0.05)
                while not self.may_end.is_set():
                    await asyncio.sleep(0.05)
            if first == "Cut":
                return
            if first == "Broken":
                yield event("error", failure("generator", "The generator's file is damaged.", "Run: footnote doctor"))
                return
            yield event("answer", made)
        except (asyncio.CancelledError, GeneratorExit):
            self.unfinished += 1
            raise


def first_word(question: str) -> str:
    """Return the first word, without what stands behind it."""
    return question.split()[0].strip(",.?")


def failure(kind: str, message: str, hint: str) -> schemas.ErrorResponse:
    """Return an error as the service sends it."""
    return schemas.ErrorResponse(error=schemas.Failure(type=kind, message=message, hint=hint))


def event(name: str, data: BaseModel) -> str:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {data.model_dump_json()}\n\n"


def small_app(service: SmallService) -> FastAPI:
    """Return the small service as an application."""
    app = FastAPI(openapi_url=None)

    @app.exception_handler(Refusal)
    async def refused(_: Request, refusal: Refusal) -> JSONResponse:
        return JSONResponse(refusal.body, refusal.status, {"Retry-After": str(refusal.wait)} if refusal.wait else {})

    async def guard() -> None:
        if service.refusals:
            raise service.refusals.pop(0)

    def page(name: str) -> Response:
        content, kind = page_file(name)
        return Response(content, media_type=kind, headers={"Content-Security-Policy": POLICY})

    @app.get("/")
    def index() -> Response:
        return page(INDEX)

    @app.get("/page/{name}")
    def part(name: str) -> Response:
        return page(name)

    _routes(app, service, guard)
    page_routes(app, service, guard)
    return app


def _routes(app: FastAPI, service: SmallService, guard: Any) -> None:
    wanted = [Depends(guard)]

    @app.post("/v1/ask", dependencies=wanted)
    async def ask(asked: schemas.AskRequest) -> StreamingResponse:
        service.asked.append(asked.model_dump())
        return StreamingResponse(service.ask(asked), media_type="text/event-stream")

    @app.post("/v1/search", dependencies=wanted)
    async def search(asked: schemas.SearchRequest) -> schemas.SearchResponse:
        found = [paper.passage(rank, asked.explain) for rank, paper in enumerate(service.papers["default"], 1)]
        whole = {"query": asked.query, "mode": "hybrid", "passages": found, "collection": "default", "generation": 4}
        return schemas.SearchResponse.model_validate(whole)

    @app.post("/v1/verify", dependencies=wanted)
    async def verify(asked: schemas.VerifyRequest) -> schemas.VerifyResponse:
        service.verified.append(asked.answer)
        checks = [
            schemas.CheckOut(
                number=each.number,
                source=each.source,
                holds=each.source.endswith("archive.md"),
                reason="" if each.source.endswith("archive.md") else "the file is gone",
            )
            for each in asked.citations
        ]
        holds = all(check.holds for check in checks)
        return schemas.VerifyResponse(
            holds=holds, proves="the quotations hold" if holds else "", reason="", unproved=[], citations=checks
        )

    @app.get("/v1/collections", dependencies=wanted)
    async def collections() -> schemas.Collections:
        entries = [
            {"name": name, "documents": len(papers), "chunks": len(papers), "generation": 4, "encoder": "e", "bytes": 9}
            for name, papers in service.papers.items()
        ]
        return schemas.Collections.model_validate({"collections": entries, "broken": [], "default": "default"})

    @app.post("/v1/collections", dependencies=wanted, status_code=201)
    async def make(asked: schemas.NewCollection) -> dict[str, Any]:
        if asked.name in service.papers:
            raise Refusal(409, "exists", f"There is a collection {asked.name!r} already.", "Take another name.")
        service.papers[asked.name] = []
        return {"name": asked.name}

    @app.delete("/v1/collections/{name}", dependencies=wanted)
    async def delete(name: str) -> schemas.Deleted:
        del service.papers[name]
        return schemas.Deleted(deleted=name)

    @app.post("/v1/collections/{name}/index", dependencies=wanted)
    async def index(name: str, asked: schemas.IndexRequest) -> StreamingResponse:
        service.pruned.append(asked.prune)
        skip = schemas.SkipOut(source="/papers/a.bin", reason="binary")
        report = _report(0).model_copy(update={"skipped": [skip]})
        events = [event("progress", schemas.Progress(what="files", done=1, total=2)), event("report", report)]
        return StreamingResponse(iter(events), media_type="text/event-stream")

    @app.get("/v1/collections/{name}/documents", dependencies=wanted)
    async def documents(
        name: str, offset: int = 0, limit: int = 50, find: str = "", sort: str = "source", descending: bool = False
    ) -> schemas.Documents:
        found = [paper.entry() for paper in service.papers[name] if find in paper.name]
        if sort != "source":
            found.sort(key=lambda entry: entry[sort] or "", reverse=descending)
        part = {"documents": found[offset : offset + limit], "total": len(found), "offset": offset}
        return schemas.Documents.model_validate(part)

    @app.post("/v1/collections/{name}/documents", dependencies=wanted)
    async def upload(request: Request, name: str) -> StreamingResponse:
        body = await request.body()
        into, title = service.papers[name], request.query_params["name"]
        events = [event("progress", schemas.Progress(what="chunks", done=1, total=1))]
        if b"\x00" in body:
            events.append(event("error", failure("unreadable", f"{title}: binary.", "Only documents can be read.")))
        else:
            made = Paper(title, body.decode(), origin="upload")
            into.append(made)
            whole = {"document": made.entry(), "replaced": False, "report": _report(1).model_dump()}
            events.append(event("document", schemas.Uploaded.model_validate(whole)))
        return StreamingResponse(iter(events), media_type="text/event-stream")

    @app.get("/v1/collections/{name}/documents/{id}", dependencies=wanted)
    async def document(name: str, id: str, start: int = 0, end: int = 200_000) -> schemas.DocumentText:
        paper = service.paper(name, id)
        end = min(end, len(paper.text))
        sections = [each for each in paper.sections() if each["start"] < end and start < each["end"]]
        entry = {
            key: value
            for key, value in paper.entry().items()
            if key not in ("chunks", "modified", "folder", "warnings")
        }
        part = {"notes": [], "start": start, "end": end, "text": paper.text[start:end], "sections": sections}
        return schemas.DocumentText.model_validate({**entry, **part, "headings": [], "generation": 4})

    @app.delete("/v1/collections/{name}/documents/{id}", dependencies=wanted)
    async def remove(name: str, id: str) -> schemas.Removed:
        service.papers[name].remove(service.paper(name, id))
        return schemas.Removed(removed=id, generation=5)


def _report(added: int) -> schemas.IndexReport:
    return schemas.IndexReport(
        added=added,
        changed=0,
        removed=0,
        unchanged=3,
        skipped=[],
        chunks=1,
        chunks_embedded=1,
        seconds=0.2,
        generation=5,
        notes={},
        not_read={},
        unknown_languages={},
    )


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application from a thread of its own, at a free port; yield its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, name="small service")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            threading.Event().wait(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()
