#!/usr/bin/env python3
"""Count the tokens of a text file by several rules.

How long is a text?  The answer depends on the rule of counting, and the rules
differ by a factor of more than five.  This script reads a UTF-8 text file (or standard
input) and prints a small table with one line for each rule:

* ``spaces``   pieces between white space, as a word processor counts;
* ``words``    runs of letters, runs of digits and single marks, counted apart;
* ``digits``   the same, but with every digit standing alone;
* ``letters``  code points after NFC normalisation;
* ``bytes``    bytes in UTF-8, which is what a byte model such as ByT5 sees;
* ``rule4``    the rule of thumb "one token for four bytes of English";
* ``bpe``      tokens of a small byte-pair encoding learnt from the text itself.

The last rule is the interesting one.  The merges are learnt from the very text
that is counted, so the count is optimistic: on a text that the tokeniser has
not seen, expect between 10 and 40 per cent more.  Use ``--train FILE`` to learn
the merges from another file and see an honest figure.

Usage::

    python count_tokens.py manual.txt
    python count_tokens.py --merges 2000 --train other.txt manual.txt
    cat manual.txt | python count_tokens.py -
    python count_tokens.py --self-test

Only the standard library is needed.  The method is explained in the chapter
``byte-pair-encoding.md``, and the reasons for having subwords at all in
``words-and-subwords.md``.
"""

import argparse
import doctest
import re
import sys
import unicodedata
from collections import Counter, defaultdict

#: The pattern of the rule ``words``: letters, or digits, or one other mark.
WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")

#: The pattern of the rule ``digits``: as above, with single digits.
DIGIT = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_")

#: The coarse pieces inside which BPE works; a leading space stays attached.
PIECE = re.compile(r" ?[^\W\d_]+| ?\d+| ?[^\w\s]+|_|\s+")

#: The number of merges learnt unless the user asks for another.
DEFAULT_MERGES = 500


def normalise(text):
    """Return the text in NFC with Windows line ends made plain.

    The letter e followed by a combining accent becomes one code point:

    >>> len("e\\u0301"), len(normalise("e\\u0301"))
    (2, 1)
    """
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n"))


def simple_counts(text):
    """Return a dictionary with the counts that need no learning.

    >>> counts = simple_counts("Relay AX-4471 failed.")
    >>> counts["spaces"], counts["words"], counts["digits"], counts["bytes"]
    (3, 6, 9, 21)
    """
    size = len(text.encode("utf-8"))
    return {
        "spaces": len(text.split()),
        "words": len(WORD.findall(text)),
        "digits": len(DIGIT.findall(text)),
        "letters": len(text),
        "bytes": size,
        "rule4": (size + 3) // 4,
    }


def learn_merges(text, wanted):
    """Learn up to ``wanted`` merges and return them as a list of pairs of bytes.

    The text is cut into pieces; distinct pieces are counted once, since a few
    thousand distinct words stand for millions of running ones.  An index from
    pairs to pieces makes each step cheap: only the pieces that contain the
    merged pair are touched.  Learning stops early when no pair is left that
    occurs at least twice.  Ties are broken by the smaller pair, so that the
    result does not depend on the order of the text.

    >>> learn_merges("pump pump lamp", 1)
    [(b'm', b'p')]
    """
    pieces = Counter(PIECE.findall(text))
    words = [[bytes([b]) for b in piece.encode("utf-8")] for piece in pieces]
    weights = list(pieces.values())
    pairs = Counter()
    where = defaultdict(set)
    for number, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += weights[number]
            where[pair].add(number)
    merges = []
    while len(merges) < wanted and pairs:
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        merges.append(best)
        for number in list(where[best]):
            word = words[number]
            for pair in zip(word, word[1:]):
                pairs[pair] -= weights[number]
                where[pair].discard(number)
                if pairs[pair] <= 0:
                    del pairs[pair]
            words[number] = word = join(word, best)
            for pair in zip(word, word[1:]):
                pairs[pair] += weights[number]
                where[pair].add(number)
    return merges


def join(word, pair):
    """Join every occurrence of ``pair`` in a list of tokens, left to right.

    >>> join([b"a", b"a", b"a"], (b"a", b"a"))
    [b'aa', b'a']
    """
    out, place = [], 0
    while place < len(word):
        if tuple(word[place:place + 2]) == pair:
            out.append(pair[0] + pair[1])
            place += 2
        else:
            out.append(word[place])
            place += 1
    return out


def encode(piece, ranks):
    """Encode one piece by applying the merges in the order of learning.

    ``ranks`` maps a pair to its place in the list of merges.  In each round the
    pair of lowest rank is joined, until no known pair is left.

    >>> encode("dump", {(b"m", b"p"): 0, (b"u", b"mp"): 1})
    [b'd', b'ump']
    """
    word = [bytes([b]) for b in piece.encode("utf-8")]
    while len(word) > 1:
        best = min(zip(word, word[1:]), key=lambda p: ranks.get(p, len(ranks)))
        if best not in ranks:
            break
        word = join(word, best)
    return word


def count_bpe(text, merges):
    """Count the BPE tokens of a text, encoding each distinct piece once."""
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    pieces = Counter(PIECE.findall(text))
    return sum(n * len(encode(piece, ranks)) for piece, n in pieces.items())


def report(counts):
    """Return the table as text; the last column is tokens for each word.

    A word here is a piece between spaces, so the column is the fertility in
    the sense of the chapter on words and subwords.
    """
    words = max(counts["spaces"], 1)
    lines = [f"{'rule':<10}{'tokens':>12}{'per word':>12}"]
    for rule, number in counts.items():
        lines.append(f"{rule:<10}{number:>12,}{number / words:>12.2f}")
    return "\n".join(lines)


def read(name):
    """Read a file strictly as UTF-8; a wrong encoding should stop the script.

    A byte order mark at the beginning is dropped.  The name ``-`` stands for
    standard input.
    """
    if name == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(name, "rb") as file:
            data = file.read()
    return normalise(data.decode("utf-8-sig"))


def main(arguments=None):
    """Run the command line and return the exit status (2 for bad input)."""
    parser = argparse.ArgumentParser(description="Count tokens by several rules.")
    parser.add_argument("file", nargs="?", default="-", help="text file, or -")
    parser.add_argument("--merges", type=int, default=DEFAULT_MERGES)
    parser.add_argument("--train", help="learn the merges from this file instead")
    parser.add_argument("--self-test", action="store_true", help="run the examples")
    options = parser.parse_args(arguments)
    if options.self_test:
        failed, tried = doctest.testmod()
        print(f"{tried - failed} of {tried} examples passed")
        return 1 if failed else 0
    try:
        text = read(options.file)
        sample = read(options.train) if options.train else text
    except (OSError, UnicodeDecodeError) as error:
        print(f"count_tokens: {error}", file=sys.stderr)
        return 2
    counts = simple_counts(text)
    counts["bpe"] = count_bpe(text, learn_merges(sample, options.merges))
    print(report(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
