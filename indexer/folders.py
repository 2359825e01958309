"""Which files of a folder are to be read, and their bytes; knows the disk, but nothing of formats.

Walks in a fixed order, follows no link, takes each file once, and leaves out what nobody means by
"my documents": version control, caches, virtual environments and secrets.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import NotFound, Unreadable, UsageError
from indexer.ignoring import patterns
from indexer.types import Skip

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".footnoteignore"
MAX_BYTES = 50_000_000
_MAX_PATTERNS = 1_000

DEFAULT_IGNORES = (
    # What tools make
    "node_modules/", "bower_components/", "__pycache__/", "*.py[cod]", "site-packages/", "venv/", "virtualenv/",
    "*.egg-info/", "target/debug/", "target/release/", ".gradle/", "CVS/", "lost+found/", "$RECYCLE.BIN/",
    "System Volume Information/", "Thumbs.db", "desktop.ini", "~$*", "*~", "*.swp", "*.tmp", "*.part",
    "*.crdownload", "*.min.js", "*.min.css", "*.js.map", "*.css.map", "package-lock.json", "yarn.lock",
    "pnpm-lock.yaml", "poetry.lock", "uv.lock", "Cargo.lock",
    # Secrets
    ".env*", "*.env", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks",
    "*.keystore", "*.kdbx", "*.ppk", "*.asc", "*.gpg", ".netrc", "_netrc", ".pgpass", ".htpasswd", ".npmrc",
    ".pypirc", ".git-credentials", ".ssh/", ".gnupg/", ".aws/", ".azure/", ".kube/", ".docker/", "credentials",
    "credentials.json", "credentials.y*ml", "client_secret*.json", "service[-_]account*.json", "secrets.json",
    "secrets.toml", "secrets.y*ml", "*.tfstate", "*.tfstate.backup", "*.tfvars", "shadow", "wallet.dat",
)  # fmt: skip
"""Gitignore patterns that hold everywhere, except for a file which the user names."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """Gitignore patterns and the folder below which they hold."""

    base: Path
    spec: GitIgnoreSpec


def find(
    paths: Sequence[Path], include: Sequence[str] = (), exclude: Sequence[str] = (), ignored: Counter[str] | None = None
) -> Iterator[Path | Skip]:
    """Yield the absolute paths of the files to read under `paths`, and a Skip for each that cannot be.

    Folders are walked in order of their entries' names. `include` and `exclude` are gitignore patterns
    relative to the folder named in `paths`; `.footnoteignore` in any folder holds below it. Hidden
    files are passed over in silence, others that are ignored for their names are counted by ending
    in `ignored`; a file named in `paths` is taken whatever it is called. A named folder may be a
    link, and of a named link to a file its file is taken; no other link is followed.
    Raises NotFound for a path that does not exist, UsageError for a pattern that is not one.
    """
    included = patterns(include) if include else None
    excluded = patterns(exclude)
    seen: dict[tuple[int, int], Path] = {}
    ignored = Counter() if ignored is None else ignored
    for path in paths:
        root = named_file(Path(os.path.abspath(path)))  # noqa: PTH100 - resolve() would follow links
        status = _status_of_named(root)
        linked = stat.S_ISLNK(status.st_mode) and os.path.isdir(root)  # noqa: PTH112 - is_dir() raises for some links
        if linked or stat.S_ISDIR(status.st_mode):
            rules = (_Rules(root, patterns(DEFAULT_IGNORES)), _Rules(root, excluded))
            yield from _walk(root, rules, included, seen, ignored)
        elif not stat.S_ISREG(status.st_mode):
            yield Skip(shown(root), _kind(status.st_mode))
        elif not _is_unicode(str(root)):
            yield Skip(shown(root), "file name is not valid UTF-8")
        else:
            yield from _once(root, status, seen)


def unmatched_patterns(include: Sequence[str], found: Iterable[Path], roots: Sequence[Path]) -> tuple[str, ...]:
    """Return the patterns of `include` that match none of the files found under `roots`.

    A pattern that takes files out again ("!draft.md") is none of them.
    """
    relative = [
        path.relative_to(root).as_posix() for path in found for root in roots if root in path.parents
    ] if include else []  # fmt: skip
    waiting = {pattern: patterns([pattern]) for pattern in include if not pattern.startswith(("!", "#"))}
    return tuple(pattern for pattern, spec in waiting.items() if not any(map(spec.match_file, relative)))


def named_file(path: Path) -> Path:
    """Return the file that a link names, or the path itself where it is no link to a file."""
    is_link_to_file = path.is_symlink() and os.path.isfile(path)  # noqa: PTH113 - is_file() raises for some links
    return path.resolve() if is_link_to_file else path


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes.

    Neither follows a link nor waits for a pipe. A file that changes while it is read is read once
    more. Raises Unreadable with the reason.
    """
    for _ in range(2):
        content, steady = _read_once(path, limit)
        if steady:
            return content
    raise Unreadable("changed while it was being read")


def ending(path: Path) -> str:
    """Return the ending of a file's name, by which files that were not read are counted."""
    return path.suffix.lower() or "without ending"


def shown(path: Path) -> str:
    """Return a path that can be printed and stored, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _walk(
    root: Path,
    rules: tuple[_Rules, ...],
    included: GitIgnoreSpec | None,
    seen: dict[tuple[int, int], Path],
    ignored: Counter[str],
) -> Iterator[Path | Skip]:
    """Walk depth first with a stack of our own: a path may be deeper than Python's recursion."""
    stack: list[tuple[Path, tuple[_Rules, ...]]] = [(root, rules)]
    while stack:
        path, rules = stack.pop()
        try:
            status = path.stat() if path == root else path.lstat()
        except OSError as error:
            yield Skip(shown(path), _reason(error))
            continue
        mode = status.st_mode
        if path != root and path.name.startswith("."):
            continue
        if path != root and _is_ignored(path, stat.S_ISDIR(mode), rules):
            if stat.S_ISREG(mode):
                ignored[ending(path)] += 1
            continue
        if not stat.S_ISDIR(mode) and included and not included.match_file(path.relative_to(root).as_posix()):
            continue
        if not _is_unicode(path.name):
            yield Skip(shown(path), "file name is not valid UTF-8")
            continue
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            yield Skip(shown(path), _kind(mode))
            continue
        for new in _once(path, status, seen):
            if isinstance(new, Path) and stat.S_ISDIR(mode):
                entries, skips = _entries(path, rules)
                stack.extend(entries)
                yield from skips
            else:
                yield new


def _entries(folder: Path, rules: tuple[_Rules, ...]) -> tuple[list[tuple[Path, tuple[_Rules, ...]]], list[Skip]]:
    """Return what is in a folder, last name first, each with the rules that hold for it; and what went wrong."""
    try:
        names = sorted(os.listdir(folder), reverse=True)  # noqa: PTH208 - names only, paths are made once
    except OSError as error:
        return [], [Skip(shown(folder), _reason(error))]
    skips: list[Skip] = []
    try:
        rules = _with_own_rules(folder, names, rules)
    except (Unreadable, UsageError) as error:
        skips.append(Skip(shown(folder / IGNORE_FILE), f"not obeyed: {error.message}"))
    return [(folder / name, rules) for name in names], skips


def _once(path: Path, status: os.stat_result, seen: dict[tuple[int, int], Path]) -> Iterator[Path | Skip]:
    """Yield a path when its file was not met before, nothing when it was, and a Skip for a file of two names."""
    first = seen.setdefault((status.st_dev, status.st_ino), path)
    if first is path:
        yield path
    elif first != path:
        yield Skip(shown(path), f"the same file as {shown(first)}")


def _with_own_rules(folder: Path, names: Sequence[str], rules: tuple[_Rules, ...]) -> tuple[_Rules, ...]:
    if IGNORE_FILE not in names:
        return rules
    lines = read_file(folder / IGNORE_FILE, limit=1_000_000).decode("utf-8", "replace").splitlines()
    return (*rules, _Rules(folder, patterns(lines[:_MAX_PATTERNS])))


def _is_ignored(path: Path, is_folder: bool, rules: Sequence[_Rules]) -> bool:
    """Return what the last rule that speaks about `path` says, as git does."""
    for rule in reversed(rules):
        relative = path.relative_to(rule.base).as_posix() + ("/" if is_folder else "")
        verdict = rule.spec.check_file(relative).include
        if verdict is not None:
            return verdict
    return False


def _status_of_named(path: Path) -> os.stat_result:
    try:
        return path.lstat()
    except OSError as error:
        raise NotFound(
            f"There is no file or folder {shown(path)!r} to read: {_reason(error)}.",
            hint="Check the spelling; relative paths start from the current folder.",
        ) from error
    except ValueError as error:  # a zero byte in the name
        raise NotFound(f"There can be no file named {str(path)!r}.", hint="Check the spelling.") from error


def _read_once(path: Path, limit: int) -> tuple[bytes, bool]:
    """Return the content, and whether the file stayed as it was meanwhile."""
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise Unreadable(_reason(error)) from error
    with os.fdopen(descriptor, "rb", buffering=0):
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise Unreadable(_kind(before.st_mode))
            if before.st_size > limit:
                raise Unreadable(f"{before.st_size / 1e6:,.1f} MB; the limit is {limit / 1e6:,.1f} MB")
            content = _read_at_most(descriptor, before.st_size + 1)
            after = os.fstat(descriptor)
        except OSError as error:
            raise Unreadable(_reason(error)) from error
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return content, unchanged and len(content) == before.st_size


def _read_at_most(descriptor: int, count: int) -> bytes:
    pieces = []
    while count > 0 and (piece := os.read(descriptor, min(count, 1 << 24))):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _is_unicode(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"), (stat.S_ISLNK, "a symbolic link, not followed"), (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"), (stat.S_ISBLK, "a device"), (stat.S_ISCHR, "a device"),
    )  # fmt: skip
    return next((kind for is_kind, kind in kinds if is_kind(mode)), "not a regular file")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        symbolic_link = error.errno == errno.ELOOP
        return "a symbolic link, not followed" if symbolic_link else os.strerror(error.errno).lower()
    return "a name that no file can have"
