"""Source code as text: cut where a new top-level definition begins, language told by the file's name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from indexer.readers.encoding import decode
from indexer.readers.text import reading_of
from indexer.types import Block, Reading

LANGUAGES = {
    ".asm": "assembly", ".bash": "shell", ".bat": "batch", ".c": "c", ".cc": "c++", ".clj": "clojure",
    ".cmake": "cmake", ".conf": "ini", ".cpp": "c++", ".cs": "c#", ".css": "css", ".cu": "cuda", ".cxx": "c++",
    ".dart": "dart", ".el": "lisp", ".erl": "erlang", ".ex": "elixir", ".exs": "elixir", ".f90": "fortran",
    ".go": "go", ".gradle": "groovy", ".groovy": "groovy", ".h": "c", ".hh": "c++", ".hpp": "c++", ".hs": "haskell",
    ".java": "java", ".jl": "julia", ".js": "javascript", ".jsx": "javascript", ".kt": "kotlin",
    ".lisp": "lisp", ".lua": "lua", ".m": "matlab", ".mjs": "javascript", ".ml": "ocaml", ".nim": "nim",
    ".php": "php", ".pl": "perl", ".proto": "protobuf", ".ps1": "powershell", ".py": "python", ".pyi": "python",
    ".r": "r", ".rb": "ruby", ".rs": "rust", ".scala": "scala", ".scss": "css", ".sh": "shell", ".sql": "sql",
    ".svelte": "svelte", ".swift": "swift", ".tcl": "tcl", ".ts": "typescript",
    ".tsx": "typescript", ".vb": "basic", ".vim": "vim", ".vue": "vue",
    ".zig": "zig", ".zsh": "shell",
}  # fmt: skip
_MAX_QUOTED = 200
"""Lines after which an open triple quote is no longer believed to be one."""
_CLOSERS = ("}", ")", "]", "end", "fi", "done", "esac")


def read(name: str, data: bytes) -> Reading:
    """Read source code; one block per top-level definition or group of lines."""
    decoded = decode(data)
    language = LANGUAGES.get(PurePath(name).suffix.lower(), "")
    metadata = {"language": language} if language else {}
    return reading_of(decoded, "code", definitions(decoded.text), metadata=metadata)


def definitions(text: str, line: int = 1, page: int | None = None) -> Iterator[Block]:
    """Yield blocks that begin after a blank line at an unindented line which closes nothing.

    This finds the top-level definitions of nearly every language without knowing any of them,
    and keeps a function with blank lines in its body in one piece.
    """
    pending: list[str] = []
    start, after_blank, quoted = line, False, False
    for number, raw in enumerate(text.split("\n"), line):
        blank = not raw or raw.isspace()
        begins = after_blank and not blank and not raw[0].isspace() and not raw.startswith(_CLOSERS)
        begins = begins and (not quoted or len(pending) > _MAX_QUOTED)
        quoted ^= raw.count('"""') % 2 == 1
        if begins and pending:
            yield Block("\n".join(pending), kind="code", page=page, line=start)
            pending = []
        if not blank and not pending:
            start = number
        if pending or not blank:
            pending.append(raw)
        after_blank = blank
    if pending:
        yield Block("\n".join(pending), kind="code", page=page, line=start)
