#!/usr/bin/env python3
"""An interpolated trigram model: the baseline that every language model should beat.

Why a baseline
--------------
A neural network whose perplexity nobody can judge is a neural network that
nobody can debug.  A trigram model takes a minute to build, has no learning
rate, and uses the same tokens and the same validation text.  If the network
does not beat it clearly, something is wrong with the network, with the data
or with the measurement.  The Primer class finished its trigram baseline
before it trained any network for longer than an hour, and found two faults of
its evaluation in this way: a validation text in upper case, and an end mark
that was counted as a token in one program and not in the other.

The model
---------
The probability of a token w after the two tokens u and v is a mixture,

    P(w | u, v) = a3 * f(w | u, v) + a2 * f(w | v) + a1 * f(w) + a0 / V

where each f is a relative frequency in the training text, V is the number of
known tokens, and the four weights are positive and add up to one.  The last
term gives every token a small probability, so that no perplexity is infinite.
If a context was never seen, its frequency does not exist, and its weight is
shared out among the remaining terms in proportion.

The weights are not guessed.  They are fitted on a held-out text by expectation
maximisation: each round asks which share of the credit for the held-out
tokens each term deserves, and uses the mean shares as new weights.  Every round can
only raise the likelihood of the held-out text.  Fitting the weights on the
training text itself is the classic mistake: the trigram term then takes
everything, because it has seen each training trigram at least once.

On the tokens of the Primer corpus the fitted trigram weight was 0.41, the
bigram weight 0.39, the unigram weight 0.19 and the uniform weight 0.01.  The
low trigram weight is typical of a small corpus: in Primer's validation text
38 per cent of the trigrams had never occurred in training.

Use
---
    python ngram_baseline.py                         run the built-in demonstration
    python ngram_baseline.py train.txt held.txt test.txt

Words and punctuation marks are the tokens here.  To compare with a network,
use the tokens of its own tokeniser instead: perplexities over different tokens
must not be compared (see loss-and-perplexity.md in this folder).
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
TERMS = ("trigram", "bigram", "unigram", "uniform")

DEMO = """the harbour is quiet in the morning . the gulls sit on the north pier .
the ferry waits at the north pier in the morning . the captain drinks his tea .
the captain looks at the gulls . the gulls look at the captain .
in the evening the ferry comes back to the harbour . the harbour is loud in the evening .
the captain sits on the pier and drinks his tea . the ferry is quiet .
"""
DEMO_HELD = "the captain sits in the harbour in the morning . the ferry is loud .\n"
DEMO_TEST = "the gulls sit on the ferry . the captain looks at the harbour in the evening .\n"


def tokenise(text: str) -> list[list[str]]:
    """Return one list of tokens for each line: words in lower case, and single marks.

    Lines are treated as independent texts.  A model that runs across the borders of
    texts learns that the last word of one article predicts the title of the next.
    """
    lines = (re.findall(r"\w+|[^\w\s]", line.lower()) for line in text.splitlines())
    return [tokens for tokens in lines if tokens]


class TrigramModel:
    """Relative frequencies of three orders, mixed with four weights."""

    def __init__(self, texts: list[list[str]], min_count: int = 1) -> None:
        """Count all orders.  Tokens rarer than min_count become the unknown token.

        The unknown token must occur in training, or it would have no probability
        worth the name; with a min_count of 1 only the uniform term covers it.
        """
        frequency = Counter(token for text in texts for token in text)
        self.vocabulary = {t for t, n in frequency.items() if n >= min_count} | {END, UNKNOWN}
        self.unigrams: Counter[str] = Counter()
        self.bigrams: dict[str, Counter[str]] = defaultdict(Counter)
        self.trigrams: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.weights = [0.25] * 4
        for u, v, w in self.windows(texts):
            self.unigrams[w] += 1
            self.bigrams[v][w] += 1
            self.trigrams[u, v][w] += 1
        self.total = sum(self.unigrams.values())

    def windows(self, texts: list[list[str]]):
        """Yield (u, v, w) for every token w of every text, the end mark included.

        The start marks are context only: they are never predicted, since a model that
        is rewarded for predicting the start of a text is rewarded for nothing.
        """
        for text in texts:
            known = [t if t in self.vocabulary else UNKNOWN for t in text]
            padded = [START, START, *known, END]
            yield from zip(padded, padded[1:], padded[2:])

    def terms(self, u: str, v: str, w: str) -> list[float | None]:
        """The four component probabilities; None where the context was never seen."""
        found: list[float | None] = []
        for table, context in ((self.trigrams, (u, v)), (self.bigrams, v)):
            row = table.get(context)
            found.append(row[w] / sum(row.values()) if row else None)
        return [*found, self.unigrams[w] / self.total, 1 / len(self.vocabulary)]

    def shares(self, u: str, v: str, w: str) -> list[float]:
        """Weight times probability of each term, after sharing out missing terms."""
        values = self.terms(u, v, w)
        present = sum(a for a, p in zip(self.weights, values) if p is not None)
        return [a / present * p if p is not None else 0.0 for a, p in zip(self.weights, values)]

    def probability(self, u: str, v: str, w: str) -> float:
        """P(w | u, v), always above zero."""
        return sum(self.shares(u, v, w))

    def fit_weights(self, held_out: list[list[str]], rounds: int = 20) -> list[float]:
        """Expectation maximisation of the four weights; returns the perplexity of each round."""
        history = []
        for _ in range(rounds):
            credit = [1e-9] * 4
            for u, v, w in self.windows(held_out):
                parts = self.shares(u, v, w)
                whole = sum(parts)
                for i, part in enumerate(parts):
                    credit[i] += part / whole
            self.weights = [c / sum(credit) for c in credit]
            history.append(self.perplexity(held_out))
        return history

    def perplexity(self, texts: list[list[str]]) -> float:
        """Exponential of the mean surprise in nats over all tokens and end marks."""
        logs = [math.log(self.probability(u, v, w)) for u, v, w in self.windows(texts)]
        return math.exp(-sum(logs) / len(logs))

    def sample(self, rng: random.Random, longest: int = 30) -> str:
        """Draw one text from the model, token by token, until the end mark."""
        u, v, words = START, START, []
        candidates = sorted(self.vocabulary - {UNKNOWN})
        while len(words) < longest:
            chances = [self.probability(u, v, w) for w in candidates]
            w = rng.choices(candidates, chances)[0]
            if w == END:
                break
            words.append(w)
            u, v = v, w
        return " ".join(words)


def check_sums(model: TrigramModel) -> None:
    """Every conditional distribution must add up to one: the cheapest test of all.

    A trigram model that fails it reports perplexities that are too good or too bad,
    and nothing else in its output gives the fault away.
    """
    for u, v in [(START, START), ("the", "north"), ("never", "seen")]:
        whole = sum(model.probability(u, v, w) for w in model.vocabulary)
        assert abs(whole - 1) < 1e-9, (u, v, whole)


def main(arguments: list[str]) -> None:
    """Train on the first text, fit the weights on the second, and measure on the third."""
    if arguments and len(arguments) != 3:
        raise SystemExit("usage: ngram_baseline.py [train.txt held.txt test.txt]")
    sources = [Path(a).read_text(encoding="utf-8") for a in arguments] or [DEMO, DEMO_HELD, DEMO_TEST]
    train, held, test = (tokenise(source) for source in sources)
    model = TrigramModel(train)
    check_sums(model)
    before = model.perplexity(test)
    history = model.fit_weights(held)
    print(f"tokens in training: {model.total}, vocabulary: {len(model.vocabulary)}")
    print(f"held-out perplexity after round 1: {history[0]:.2f}, after round {len(history)}: {history[-1]:.2f}")
    print("weights: " + ", ".join(f"{n} {a:.2f}" for n, a in zip(TERMS, model.weights)))
    print(f"test perplexity: {before:.2f} with equal weights, {model.perplexity(test):.2f} with fitted ones")
    print(f"a sample: {model.sample(random.Random(7))}")


if __name__ == "__main__":
    main(sys.argv[1:])
