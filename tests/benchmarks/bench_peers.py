"""Indexing and the first search, as whole processes, against the libraries that people build this from.

Run: python -m tests.benchmarks.bench_peers [--texts 800] [--rounds 3] [--python PYTHON]
Every side has the same weights, the same texts of 130 words and a fresh process each time; they take turns. A side that
is not installed for PYTHON (default: this one) is named and left out. Printed: the processor, what it can do, the
precision that was chosen for it, and of each side the median seconds to index, texts a second, and the seconds from
nothing to the first passage found. Ratios are against the fastest other side. There is no bar: what can be asked of the
ratios depends on the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_cold_query import measured

ROOT = Path(__file__).resolve().parents[2]
WORDS = 130
QUESTION = "When was Lantern opened to readers?"

READ = """
import json, sys
folder, texts, out, question = sys.argv[1:]
texts = [json.loads(line)["text"] for line in open(texts, encoding="utf-8")]
"""
PEERS = {
    "sentence-transformers + FAISS": (
        READ
        + """
import faiss
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(folder, device="cpu")
""",
        """
vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
index = faiss.IndexFlatIP(vectors.shape[1])
index.add(vectors)
faiss.write_index(index, out + ".faiss")
""",
        """
index = faiss.read_index(out + ".faiss")
print(texts[index.search(model.encode([question], normalize_embeddings=True), 5)[1][0][0]])
""",
    ),
    "LangChain": (
        READ
        + """
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_huggingface import HuggingFaceEmbeddings
model = HuggingFaceEmbeddings(model_name=folder, encode_kwargs={"normalize_embeddings": True})
""",
        """
kept = InMemoryVectorStore(model)
kept.add_texts(texts)
kept.dump(out)
""",
        "print(InMemoryVectorStore.load(out, model).similarity_search(question, 5)[0].page_content)\n",
    ),
    "Chroma": (
        READ
        + """
import chromadb
from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction
client = chromadb.PersistentClient(out)
kept = client.get_or_create_collection("texts", embedding_function=SentenceTransformerEmbeddingFunction(folder))
""",
        """
for first in range(0, len(texts), 400):
    kept.add(ids=[str(n) for n in range(first, min(first + 400, len(texts)))], documents=texts[first : first + 400])
""",
        'print(kept.query(query_texts=[question], n_results=5)["documents"][0][0])\n',
    ),
    "LlamaIndex": (
        READ
        + """
from llama_index.core import Settings, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
Settings.embed_model = HuggingFaceEmbedding(model_name=folder)
""",
        "VectorStoreIndex([TextNode(text=text) for text in texts]).storage_context.persist(out)\n",
        """
index = load_index_from_storage(StorageContext.from_defaults(persist_dir=out))
print(index.as_retriever(similarity_top_k=5).retrieve(question)[0].text)
""",
    ),
    "Haystack": (
        READ
        + """
from haystack import Document
try:
    from haystack.components.embedders import SentenceTransformersDocumentEmbedder, SentenceTransformersTextEmbedder
except ImportError:  # since Haystack 3
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
store = InMemoryDocumentStore()
""",
        """
embedder = SentenceTransformersDocumentEmbedder(model=folder, progress_bar=False)
embedder.warm_up()
store.write_documents(embedder.run(documents=[Document(content=text) for text in texts])["documents"])
store.save_to_disk(out)
""",
        """
store = InMemoryDocumentStore.load_from_disk(out)
embedder = SentenceTransformersTextEmbedder(model=folder, progress_bar=False)
embedder.warm_up()
vector = embedder.run(text=question)["embedding"]
print(InMemoryEmbeddingRetriever(store).run(query_embedding=vector, top_k=5)["documents"][0].content)
""",
    ),
    "txtai": (
        READ
        + """
from txtai import Embeddings
kept = Embeddings(path=folder, content=True)
""",
        "kept.index(texts)\nkept.save(out)\n",
        "kept.load(out)\nprint(kept.search(question, 5)[0]['text'])\n",
    ),
}
"""Of each peer: what it opens, how it indexes and keeps the texts, and how it finds a passage in what was kept."""


def main() -> int:
    """Let the sides take turns, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="The Python that the peers are installed for.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = made_texts(options.texts)
        (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        sides = ["Footnote", *PEERS]
        seconds: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
        _footnote(folder, "warm-up")  # converts the encoder, once for each machine
        for round_number in range(options.rounds):
            for side in sides if round_number % 2 == 0 else sides[::-1]:
                if round_number and not seconds[side]:
                    continue
                try:
                    seconds[side].append(_timed(side, folder, f"{round_number}", options.python))
                except RuntimeError as error:
                    print(f"{side}: left out ({error})", file=sys.stderr)
        print(f"{processor()}\nprecision of Footnote's encoder: {_precision(folder / 'home')}\n")
        _table({side: each for side, each in seconds.items() if each}, len(texts))
    return 0


def made_texts(count: int) -> list[str]:
    """Return texts of 130 words of the handbook, each from another place; the last are the first ones, reordered."""
    words = " ".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "corpora").rglob("*.md"))).split()
    order = random.Random(0)
    starts = [order.randrange(len(words) - WORDS) for _ in range(count)]
    return [" ".join(words[start : start + WORDS]) for start in starts]


def processor() -> str:
    """Return the processor and what it can do that matters here."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return "an unknown processor"
    name = re.search(r"model name\s*:\s*(.+)", text)
    flags = set(re.findall(r"\b(?:avx2|avx512f|avx512_vnni|avx_vnni|avx512_bf16|amx_bf16|amx_int8)\b", text))
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA")
    held = f"; held to {limit} by ONEDNN_MAX_CPU_ISA" if limit else ""
    return f"{name[1] if name else 'an unknown processor'}: {', '.join(sorted(flags))}{held}"


def _timed(side: str, folder: Path, run: str, python: str) -> tuple[float, float]:
    """Return the seconds of a whole process that indexes, and of one that finds a passage."""
    if side == "Footnote":
        return _footnote(folder, run)
    opened, index, search = PEERS[side]
    out = folder / f"{re.sub('[^a-z]', '', side.lower())}{run}"
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "ANONYMIZED_TELEMETRY": "False",
    }
    found = []
    for step in (index, search):
        command = [python, "-c", opened + step, str(_weights()), str(folder / "texts.jsonl"), str(out), QUESTION]
        found.append(measured(command, environment)[0])
    return found[0], found[1]


def _footnote(folder: Path, run: str) -> tuple[float, float]:
    environment = {**os.environ, "FOOTNOTE_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    start = [sys.executable, str(ROOT / "cli.py")]
    index, _ = measured([*start, "index", str(folder / "texts.jsonl"), "-c", f"run-{run}"], environment)
    search, _ = measured([*start, "search", QUESTION, "-c", f"run-{run}"], environment)
    return index, search


def _weights() -> Path:
    from indexer.encoders.model_folder import DEFAULT_NAME, find_model_folder

    return find_model_folder(DEFAULT_NAME)


def _precision(home: Path) -> str:
    from indexer.encoders import precision

    found = [precision.read(path.parent) for path in sorted((home / "encoders").glob(f"*/{precision.FILE}"))]
    return "; ".join(f"{each.name} ({dict(each.rates)} tokens a second)" for each in found if each) or "not measured"


def _table(seconds: dict[str, list[tuple[float, float]]], texts: int) -> None:
    medians = {
        side: tuple(statistics.median(each[n] for each in found) for n in (0, 1)) for side, found in seconds.items()
    }
    peers = [each for side, each in medians.items() if side != "Footnote"]
    best = tuple(min((each[n] for each in peers), default=float("nan")) for n in (0, 1))
    print(f"{'':32}{'index':>9}{'texts/s':>9}{'ratio':>7}{'first search':>14}{'ratio':>7}")
    for side, (index, search) in sorted(medians.items(), key=lambda each: each[1]):
        ratios = best[0] / index, best[1] / search
        print(f"{side:32}{index:8.1f}s{texts / index:9.1f}{ratios[0]:7.2f}{search:13.2f}s{ratios[1]:7.2f}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))
