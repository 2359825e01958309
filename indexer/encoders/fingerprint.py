"""The fingerprint of an encoder: what has to be the same for two vectors to be comparable."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from indexer.encoders.converted import write_file
from indexer.encoders.model_folder import ModelFolder
from indexer.errors import EncoderError

logger = logging.getLogger(__name__)

DEFAULT_FINGERPRINT = "5ebc982bebcc2e57e7bccafaafb3d62c13cdc6f29eb7c89e604e8574aef178b9"
"""That of all-MiniLM-L6-v2 as it ships."""
_CACHE = "fingerprints.json"
_OF_THE_DEFAULT = frozenset(
    {
        "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",  # tokenizer_config.json
        "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",  # special_tokens_map.json
        "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",  # vocab.txt
    }
)
"""Files of all-MiniLM-L6-v2 as published that are left out: collections remember its fingerprint without them."""


def fingerprint_of(model: ModelFolder, home: Path) -> str:
    """Return the SHA-256 over every file and setting of every module that takes part, in hexadecimal.

    Hashes of single files are kept under `home` by path, size, times and inode, so that weights are read through only
    when one of these has changed.
    """
    cache_file = home / "encoders" / _CACHE
    cache = _read_cache(cache_file)
    known = dict(cache)
    parts: dict[str, Any] = {"settings": dict(model.settings)}
    for path in (*model.weights, model.transformer / "tokenizer.json"):
        parts[str(path.relative_to(model.path))] = _file_hash(path, cache)
    for name, path in model.others.items():
        if (digest := _file_hash(path, cache)) not in _OF_THE_DEFAULT:
            parts[name] = digest
    if cache != known:
        try:
            write_file(cache_file, json.dumps(cache, indent=1, sort_keys=True).encode())
        except OSError as error:  # only a cache: an index that can be read must not fail for it
            logger.warning("Could not write %s: %s", cache_file, error)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_hash(path: Path, cache: dict[str, list[Any]]) -> str:
    """Return the hash of one file, adding it to `cache` when it is new there."""
    try:
        real = path.resolve()
        stat = real.stat()
        seen = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        entry = cache.get(str(real))
        if entry is None or entry[:-1] != seen:
            cache[str(real)] = entry = [*seen, file_sha256(real)]
    except OSError as error:
        raise EncoderError(f"{path} could not be read: {error}.") from error
    return str(entry[-1])


def _read_cache(path: Path) -> dict[str, list[Any]]:
    try:
        cache = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    good = isinstance(cache, dict) and all(isinstance(entry, list) and len(entry) == 5 for entry in cache.values())
    return cache if good else {}
