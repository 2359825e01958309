"""What every encoder promises, checked for each implementation: the default, any folder, and the torch path."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.encoder import Encoder, open_converted, open_encoder
from indexer.encoders.model_folder import DEFAULT_NAME
from indexer.errors import EncoderError
from tests.small_encoder import write_small_encoder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # sentence-transformers' and torch's own, at import
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

QUERY_PROMPT = "cat: "
TEXTS = ["The cat sat on a mat.", "a", "pump gate", "sat " * 20, "the cat sat on a mat"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module", params=["default", "folder", "torch"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Encoder:
    name = None
    if request.param != "default":
        pooling = {"folder": "cls", "torch": "mean_sqrt_len_tokens"}[request.param]
        name = str(write_small_encoder(tmp_path_factory.mktemp("model"), pooling, prompts={"query": QUERY_PROMPT}))
    return open_encoder(name, home)


def test_the_fingerprint_alone_opens_the_same_encoder(encoder: Encoder, home: Path) -> None:
    """A model that cannot be converted could be indexed with, but not searched: only its name opened it."""
    again = open_converted(encoder.fingerprint, home)
    assert again.fingerprint == encoder.fingerprint
    assert float((encoder.embed_queries(["cat"]) @ again.embed_queries(["cat"]).T)[0, 0]) > 0.9999


def test_rows_are_unit_float32_in_the_order_given(encoder: Encoder) -> None:
    together = encoder.embed_passages(TEXTS)
    assert together.shape == (len(TEXTS), encoder.dim)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)
    alone = np.concatenate([encoder.embed_passages([text]) for text in TEXTS])
    assert np.sum(together * alone, axis=1).min() > 0.9995


def test_the_same_texts_give_the_same_bytes(encoder: Encoder) -> None:
    assert encoder.embed_passages(TEXTS).tobytes() == encoder.embed_passages(TEXTS).tobytes()


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.embed_passages([]).shape == (0, encoder.dim)
    assert encoder.embed_queries([]).shape == (0, encoder.dim)


def test_text_beyond_what_is_read_changes_nothing(encoder: Encoder) -> None:
    text = "cat " * encoder.max_tokens
    assert len(encoder.token_spans(text)) == encoder.max_tokens
    whole, longer, shorter = encoder.embed_passages([text, text + "gate pump", text[:-4]])
    assert float(whole @ longer) == pytest.approx(1.0, abs=1e-5)
    assert float(whole @ shorter) < 1.0 - 1e-7


def test_marks_of_special_tokens_are_only_text(encoder: Encoder) -> None:
    assert len(encoder.token_spans("a [SEP] b")) > 3


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200))
def test_token_spans_lie_in_order_inside_the_text(encoder: Encoder, text: str) -> None:
    spans = encoder.token_spans(text)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)


def test_token_spans_of_a_long_text_are_those_of_its_parts(encoder: Encoder) -> None:
    """Long text is tokenized in pieces; the borders must not show."""
    line = "the cat sat on a mat. "
    one = encoder.token_spans(line)
    expected = [(start + n * len(line), end + n * len(line)) for n in range(2000) for start, end in one]
    assert encoder.token_spans(line * 2000) == expected


def test_progress_reaches_the_total(encoder: Encoder) -> None:
    seen: list[tuple[str, int, int]] = []
    encoder.embed_passages(TEXTS, lambda what, done, total: seen.append((what, done, total)))
    assert seen[-1] == ("embedding", len(TEXTS), len(TEXTS))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_sixteen_threads_get_what_one_gets(encoder: Encoder) -> None:
    expected = encoder.embed_passages(TEXTS)
    found: list[float] = []

    def embed() -> None:
        found.extend(np.sum(encoder.embed_passages(TEXTS) * expected, axis=1).tolist())

    threads = [threading.Thread(target=embed) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == 16 * len(TEXTS)
    assert min(found) > 0.9999


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_after_a_fork_the_child_is_refused_and_does_not_hang(encoder: Encoder) -> None:
    child = os.fork()
    if child == 0:
        try:
            encoder.embed_queries(["cat"])
        except EncoderError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_prompt_is_text_before_the_question(encoder: Encoder) -> None:
    prompt = "" if encoder.name == DEFAULT_NAME else QUERY_PROMPT
    asked, passage = encoder.embed_queries(["sat"])[0], encoder.embed_passages([prompt + "sat"])[0]
    assert float(asked @ passage) > 0.9999
