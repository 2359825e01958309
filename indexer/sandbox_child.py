"""The child's side of the sandbox: sets its own limits, then reads frames from its standard input until it ends.

Started as `python -m indexer.sandbox_child LIMITS`, never imported by the parent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import sys
from typing import IO, Any

from indexer.cleaner import assemble
from indexer.errors import NotFound, Unreadable
from indexer.readers import ocr, read
from indexer.sandbox import Limits, header_of, read_frame, write_frame

_OPEN_FILES = 64
"""Enough for importing a reader's libraries; a reader itself opens none."""
_KILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


def main() -> None:
    """Answer frames until the parent closes the pipe."""
    limits = Limits(**json.loads(sys.argv[1]))
    requests, answers = _private_pipes()
    _die_with_parent()
    start = _address_space()
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_FSIZE", 0)
    _limit("RLIMIT_NOFILE", _OPEN_FILES)
    _limit("RLIMIT_AS", start + limits.memory)

    def alive() -> None:
        """Say that a long file goes on: the limits of time hold for each of its scanned pages."""
        _limit_processor_time(limits.cpu)
        write_frame(answers, {"alive": True}, b"")

    ocr.after_page = alive
    while True:
        try:
            header, data = read_frame(requests)
        except EOFError:
            return
        _limit_processor_time(limits.cpu)
        answer, body = _answer(header, data, limits)
        # Memory that a library keeps would be charged to the files to come.
        answer["tired"] = answer.get("tired", False) or _address_space() - start > limits.memory / 2
        write_frame(answers, answer, body)


def _answer(request: dict[str, Any], data: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    try:
        return _WORK[request["work"]](request, data, limits)
    except Unreadable as unreadable:
        return {"unreadable": unreadable.reason}, b""
    except NotFound as missing:
        return {"missing": missing.message}, b""
    except MemoryError:
        return {"unreadable": f"needs more than {limits.memory / 1e6:,.0f} MB of memory to read", "tired": True}, b""
    except RecursionError:
        return {"unreadable": "nested too deeply"}, b""
    except Exception as error:  # any library may raise anything on a hostile file
        return {"unreadable": f"damaged: its reader failed with {type(error).__name__}"}, b""


def _read(request: dict[str, Any], data: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    reading = read(request["source"], data)
    length = sum(len(block.text) for block in reading.blocks)
    if length > limits.text:
        raise Unreadable(f"{length:,} characters of text; the limit is {limits.text:,}")
    document = assemble(request["source"], hashlib.sha256(data).hexdigest(), reading)
    return header_of(document), document.text.encode("utf-8")


def _picture(request: dict[str, Any], data: bytes, _: Limits) -> tuple[dict[str, Any], bytes]:
    from indexer.readers.pdf_pages import picture

    return {}, picture(data, request["page"], request["scale"])


def _places(request: dict[str, Any], data: bytes, _: Limits) -> tuple[dict[str, Any], bytes]:
    from indexer.readers.pdf_pages import places

    return places(data, request["page"], request["sections"], request["languages"]).to_frame()


_WORK = {"read": _read, "picture": _picture, "places": _places}


def _private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return the pipes to the parent, moved away from where a library might print or read."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return requests, answers


def _die_with_parent() -> None:
    """Leave Ctrl-C to the parent; end when the parent is gone, even in the middle of a file."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_KILL_WITH_PARENT, signal.SIGKILL)


def _limit(name: str, value: int) -> None:
    """Set one limit, soft and hard, where the system has it."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(getattr(resource, name))
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS refuses some; the parent's wall limit remains
        resource.setrlimit(getattr(resource, name), (value, value))


def _limit_processor_time(seconds: int) -> None:
    """Allow `seconds` from now on: the system counts from the start of the process."""
    if sys.platform == "win32":
        return
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + 1 + seconds, hard))


def _address_space() -> int:
    """Return the bytes of address space in use, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - pathlib costs more than the read
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, AttributeError):
        return 0


if __name__ == "__main__":
    main()
