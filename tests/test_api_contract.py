"""The whole interface by its own description: schemathesis makes requests of it, right ones and wrong ones.

Whatever is sent, the answer has a status, a form and a type that the description names, and never is one of 5xx.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from rag.service.app import routes_of
from tests.conftest import new_home
from tests.serving import listening, service_of
from tests.worlds import collection_of

EXAMPLES = 25
"""Requests of each sort to each operation."""
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Iterator[Any]:
    """Return what the running service says of itself."""
    home = new_home(tmp_path_factory.mktemp("api") / "home", converted)
    collection_of(home).close()
    with listening(service_of(home, max_upload=100_000)) as (host, port):
        yield schemathesis.openapi.from_url(f"http://{host}:{port}/openapi.json")


def test_every_operation_is_described_with_an_example_of_its_answer(tmp_path: Path) -> None:
    """What a program reads before it calls: a sentence, the errors, and for what is not plain, what comes back."""
    found = routes_of(service_of(tmp_path)).openapi()
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            where = f"{method.upper()} {path}"
            assert operation.get("description"), f"{where} says nothing of itself"
            assert operation["responses"]["422"], f"{where} names no errors"
            good = [status for status in operation["responses"] if status.startswith("2")]
            assert good, f"{where} never succeeds"
            for status in good:
                assert operation["responses"][status].get("content"), f"{where} returns nothing"
    assert "/v1/chat/completions" in found["paths"]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_whatever_is_sent_is_answered_as_described(description: Any, mode: Any) -> None:
    operations = [result.ok() for result in description.get_all_operations()]
    sent = {operation.label: sent_to(operation, mode) for operation in operations}
    unsent = {label for label, times in sent.items() if not times}
    assert sum(sent.values()) > 10 * EXAMPLES
    assert not unsent if mode is GenerationMode.POSITIVE else all(label.startswith("GET") for label in unsent), unsent


def sent_to(operation: Any, mode: Any) -> int:
    """Send requests of one sort to one operation, check every answer, and return how many there were."""
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.path_parameters):
        return 0  # there is nothing that could be wrong
    checks = [CHECKS.get_one(name) for name in CHECKED]
    times = 0

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        nonlocal times
        case.call_and_validate(checks=checks, timeout=60)
        times += 1

    with contextlib.suppress(Unsatisfiable):  # a part of the address may be any text
        send()
    return times
