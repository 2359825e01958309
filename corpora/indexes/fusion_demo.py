"""Two small search methods, and the fusion of their rankings.

This script shows, without any library beyond Python's own, how hybrid search
works. It holds ten invented passages about the history of Larkhaven and ranks
them in two ways:

1. by BM25, which rewards words that question and passage share;
2. by the cosine between vectors of character trigrams, which stands in here
   for a dense embedding: it has no idea of meaning, but it forgives spelling
   and endings, so it fails on *other* questions than BM25 does.

The two rankings are then merged by reciprocal rank fusion. Run the script to
see the three lists for four questions side by side:

    python3 fusion_demo.py
    python3 fusion_demo.py "Who mended the lock gates?"
    python3 fusion_demo.py --check

With ``--check`` the script runs its own tests and prints how many passed.
Ten passages are indexed within a few milliseconds; nothing in the script is
written for speed.

The fourth question is instructive because fusion does harm there: the
trigrams of "the" and "for" pull canal-1 to the top of the second list, and
since canal-1 also stands third in the BM25 list, it overtakes school-2, which
holds the answer. A bad list has an equal vote.
"""

import hashlib
import math
import re
import sys
from collections import Counter

PASSAGES = {
    "canal-1": "The lockkeeper at Saltby repaired the gates of the canal each spring.",
    "canal-2": "Tolls on the canal were abolished in 1894, and the barges went over to coal.",
    "mill-1": "Calder Mill was rebuilt in brick after the fire and reopened with forty looms.",
    "mill-2": "Looms were sold at auction when the weaving company failed.",
    "light-1": "The lighthouse on Gannet Point was first lit on 9 October 1862.",
    "light-2": "Its builder, Josiah Penhale, drowned the following winter off the point.",
    "school-1": "The board school in Tanner Street took 212 children in its first year.",
    "school-2": "Slates and chalk were paid for by a weekly penny from each child.",
    "rope-1": "The ropewalk was 380 metres long, the longest building in the county.",
    "rope-2": "Hemp for the ropes came by sea, and tar came from the gasworks.",
}

QUESTIONS = [
    "When was the lighthouse lit?",
    "How long was the rope walk?",
    "Who reparied the canal gates?",
    "What paid for the slates?",
]

K1 = 1.2
"""Saturation of repeated words in BM25 (the usual default)."""

B = 0.75
"""Strength of BM25's correction for passage length (the usual default)."""

RRF_K = 60
"""The constant of reciprocal rank fusion."""

BUCKETS = 512
"""Length of the trigram vectors. Trigrams are hashed into this many places;
with 512 places two trigrams sometimes share one, which does little harm."""


def words(text):
    """Return the lower-case words and numbers of a text, in order.

    No stemming is done, on purpose: "rope" and "ropes" are different words
    to BM25 here, and only the trigrams notice that they are related.
    """
    return re.findall(r"[a-z0-9]+", text.lower())


class BM25:
    """An inverted index over passages, with Lucene's form of the idf."""

    def __init__(self, passages):
        self.lengths = {}
        self.postings = {}
        for name, text in passages.items():
            terms = words(text)
            self.lengths[name] = len(terms)
            for term, count in Counter(terms).items():
                self.postings.setdefault(term, {})[name] = count
        self.average = sum(self.lengths.values()) / len(self.lengths)

    def idf(self, term):
        """Return the rarity of a term; 0.0 for a term that occurs nowhere."""
        n = len(self.postings.get(term, {}))
        if n == 0:
            return 0.0
        total = len(self.lengths)
        return math.log(1 + (total - n + 0.5) / (n + 0.5))

    def rank(self, question):
        """Return (passage, score) pairs, best first.

        Passages that share no term with the question are left out: an absence
        from the list says more than a score of zero at an accidental rank.
        """
        scores = Counter()
        for term in words(question):
            weight = self.idf(term)
            for name, count in self.postings.get(term, {}).items():
                norm = K1 * (1 - B + B * self.lengths[name] / self.average)
                scores[name] += weight * count * (K1 + 1) / (count + norm)
        return in_order(scores)


class Trigrams:
    """A toy vector index: hashed character trigrams, exact cosine search."""

    def __init__(self, passages):
        self.vectors = {name: self.encode(text) for name, text in passages.items()}

    @staticmethod
    def encode(text):
        """Return a vector of length one for a text.

        Each word is padded with a space on both sides, so that beginnings and
        endings of words make trigrams of their own. Python's built-in hash of
        strings changes from run to run; MD5 is used because it does not.
        """
        vector = [0.0] * BUCKETS
        for word in words(text):
            padded = f" {word} "
            for i in range(len(padded) - 2):
                digest = hashlib.md5(padded[i : i + 3].encode("utf-8")).digest()
                vector[int.from_bytes(digest[:4], "big") % BUCKETS] += 1.0
        size = math.sqrt(sum(x * x for x in vector))
        return [x / size for x in vector] if size else vector

    def rank(self, question):
        """Return (passage, cosine) pairs for all passages, best first."""
        query = self.encode(question)
        scores = {
            name: sum(a * b for a, b in zip(query, vector))
            for name, vector in self.vectors.items()
        }
        return in_order(scores)


def in_order(scores):
    """Sort a mapping of scores from high to low, ties by the passage's name.

    Breaking ties by name makes the same question give the same list twice.
    """
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def fuse(rankings, k=RRF_K):
    """Merge rankings by reciprocal rank fusion.

    Each ranking is a list of (passage, score) pairs, best first. The scores
    are ignored. A passage at rank r, counted from 1, receives 1 / (k + r) from
    that ranking, and nothing from a ranking in which it is absent.
    """
    total = Counter()
    for ranking in rankings:
        for rank, (name, _score) in enumerate(ranking, start=1):
            total[name] += 1 / (k + rank)
    return in_order(total)


def show(question, bm25, trigrams, depth=3):
    """Print the first few passages of the three lists in columns."""
    lists = [bm25.rank(question), trigrams.rank(question)]
    lists.append(fuse([one[:5] for one in lists]))
    print(f"\n{question}")
    print(f"  {'BM25':<18}{'trigrams':<18}{'fused':<18}")
    for i in range(depth):
        cells = [f"{one[i][0]} {one[i][1]:.3f}" if i < len(one) else "-" for one in lists]
        print("  " + "".join(f"{cell:<18}" for cell in cells).rstrip())


def check():
    """Run the tests; return the number that passed.

    The third test is the one to read: the question misspells "repaired", so
    BM25 has only "the", "canal" and "gates" to go by, while the trigrams still
    recognise most of the broken word.
    """
    bm25, trigrams = BM25(PASSAGES), Trigrams(PASSAGES)
    passed = 0

    assert bm25.rank("lighthouse")[0][0] == "light-1"
    passed += 1

    assert bm25.rank("zeppelin") == [], "an unknown word must match nothing"
    passed += 1

    assert trigrams.rank("Who reparied the canal gates?")[0][0] == "canal-1"
    passed += 1

    # "rope walk" is two words here and one word in the passage.
    assert "walk" not in bm25.postings
    assert trigrams.rank("rope walk")[0][0] == "rope-1"
    passed += 1

    # Two third places beat a first and a seventh, as in the chapter.
    first = [(name, 0) for name in "P S Q A B C D".split()]
    second = [(name, 0) for name in "E F Q G H I P".split()]
    fused = dict(fuse([first, second]))
    assert fused["Q"] > fused["P"] > fused["S"]
    assert math.isclose(fused["Q"], 2 / 63)
    passed += 1

    vector = trigrams.encode("Gannet Point")
    assert math.isclose(sum(x * x for x in vector), 1.0)
    passed += 1

    return passed


def main(arguments):
    """Show the questions given, or the four built-in ones."""
    if arguments == ["--check"]:
        print(f"{check()} tests passed")
        return
    bm25, trigrams = BM25(PASSAGES), Trigrams(PASSAGES)
    for question in arguments or QUESTIONS:
        show(question, bm25, trigrams)


if __name__ == "__main__":
    main(sys.argv[1:])
