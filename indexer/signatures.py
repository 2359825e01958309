"""Small signatures by which near-duplicate passages are found: a simhash of the words, a hash of the figures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import regex

# Scripts without spaces between words count each character as a word.
_WORD = regex.compile(
    r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]|\w+"
)
_NUMBER = regex.compile(r"[-−]?\d+(?:[.,]\d+)*")
_SHINGLE = 3
_NEAR = 3


def signature(text: str) -> tuple[int, int]:
    """Return (simhash, figures): a signed 64-bit integer over word 3-shingles, and 32 bits over the numbers.

    The simhash is that of Charikar (2002), "Similarity estimation techniques from rounding algorithms", used for
    documents as in Manku, Jain and Das Sarma (2007), "Detecting near-duplicates for web crawling". Case and punctuation
    do not count; the numbers count as a multiset. Text without words gives simhash 0.
    """
    words = _WORD.findall(text.casefold())
    figures = "\n".join(sorted(_NUMBER.findall(text)))
    return _simhash(words), int.from_bytes(hashlib.blake2b(figures.encode(), digest_size=4).digest(), "big")


def near_duplicates(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Say whether two signatures differ in at most 3 bits and agree in every figure."""
    return a[1] == b[1] and ((a[0] ^ b[0]) & 0xFFFF_FFFF_FFFF_FFFF).bit_count() <= _NEAR


def _simhash(words: list[str]) -> int:
    if not words:
        return 0
    shingles = [" ".join(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1))]
    hashes = b"".join(
        hashlib.blake2b(shingle.encode(errors="surrogatepass"), digest_size=8).digest() for shingle in shingles
    )
    bits = np.unpackbits(np.frombuffer(hashes, dtype=np.uint8).reshape(-1, 8), axis=1)  # (shingles, 64)
    majority = 2 * bits.sum(axis=0, dtype=np.int64) > len(shingles)  # (64,)
    return int.from_bytes(np.packbits(majority).tobytes(), "big", signed=True)


def count_near_duplicates(signatures: Sequence[tuple[int, int]]) -> int:
    """Return how many of the signatures are near-duplicates of an earlier one.

    Two simhashes that differ in at most 3 bits agree in at least one of four bands of 16 bits, so only those that share
    a band and the figures are compared (Manku et al. 2007); of a group of alikes only the first is kept for that.
    """
    kept: dict[tuple[int, int, int], list[int]] = {}
    count = 0
    for simhash, figures in signatures:
        bands = [(band, (simhash >> 16 * band) & 0xFFFF, figures) for band in range(4)]
        if any(near_duplicates((simhash, figures), (other, figures)) for key in bands for other in kept.get(key, ())):
            count += 1
            continue
        for key in bands:
            kept.setdefault(key, []).append(simhash)
    return count
