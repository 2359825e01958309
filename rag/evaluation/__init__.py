"""Evaluation that can be believed: data sets in, run folders with scores, intervals and comparisons out.

    from rag import evaluate

    found = evaluate("questions.jsonl", collection="papers")
    print(found.scores["f1"], found.run.path)

Names are loaded when they are first used, as those of `rag`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.evaluation.comparing import compare_runs as compare_runs
    from rag.evaluation.data import read_questions as read_questions
    from rag.evaluation.qa import Evaluation as Evaluation
    from rag.evaluation.qa import Options as Options
    from rag.evaluation.qa import evaluate as evaluate
    from rag.evaluation.recording import record_perplexity as record_perplexity
    from rag.evaluation.recording import record_retrieval as record_retrieval
    from rag.evaluation.report import write_report as write_report
    from rag.evaluation.rows import Row as Row
    from rag.evaluation.runs import RunFolder as RunFolder
    from rag.evaluation.scores import by_kind as by_kind

_WHERE = {
    "Evaluation": "qa",
    "Options": "qa",
    "Row": "rows",
    "RunFolder": "runs",
    "by_kind": "scores",
    "compare_runs": "comparing",
    "evaluate": "qa",
    "read_questions": "data",
    "record_perplexity": "recording",
    "record_retrieval": "recording",
    "write_report": "report",
}

__all__ = [
    "Evaluation",
    "Options",
    "Row",
    "RunFolder",
    "by_kind",
    "compare_runs",
    "evaluate",
    "read_questions",
    "record_perplexity",
    "record_retrieval",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'rag.evaluation' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"rag.evaluation.{_WHERE[name]}"), name)
    return found
