"""Folders bound to a collection over HTTP: by path, with what indexing them again would change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from indexer.sync import Given
from rag.service import schemas
from rag.service.folders import MOST_FOLDERS, Folders
from tests.serving import client_of, service_of
from tests.worlds import collection_of, write_folder

FOLDERS, CHANGES = "/v1/collections/world/folders", "/v1/collections/world/changes"


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """Return a folder of two files."""
    return write_folder(
        tmp_path / "papers", {"kiln.md": "# Kiln\n\nThe kiln was fired.\n", "owl.md": "# Owl\n\nIt sleeps.\n"}
    )


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    collection_of(tmp_path / "home").close()
    with client_of(service_of(tmp_path / "home")) as client:
        yield client


def changes(client: TestClient) -> dict[str, Any]:
    """Return what indexing again would change, checked against its schema."""
    return schemas.FolderChanges.model_validate(client.get(CHANGES).json()).model_dump()


def test_a_folder_is_bound_looked_at_taken_in_and_taken_away(client: TestClient, papers: Path) -> None:
    assert client.get(FOLDERS).json() == {"folders": [], "may_add": True}
    bound = client.post(FOLDERS, json={"path": f"{papers}/"})
    assert bound.status_code == 201
    assert bound.json()["folders"] == [{"path": str(papers), "documents": 0, "is_there": True}]
    assert changes(client)["added"] == [str(papers / "kiln.md"), str(papers / "owl.md")]
    report = client.post("/v1/collections/world/index", json={}).json()
    assert (report["added"], report["removed"], report["unchanged"]) == (2, 0, 4)
    assert changes(client)["counts"] == {"added": 0, "changed": 0, "removed": 0, "unchanged": 2}
    assert client.get(FOLDERS).json()["folders"][0]["documents"] == 2
    assert client.delete(FOLDERS, params={"path": str(papers)}).json()["folders"] == []
    assert client.get("/v1/collections/world").json()["documents"] == 6  # its documents stay


def test_what_would_be_removed_is_told_before_and_removed_only_when_it_is_wanted(
    client: TestClient, papers: Path
) -> None:
    client.post(FOLDERS, json={"path": str(papers)})
    client.post("/v1/collections/world/index", json={})
    (papers / "owl.md").unlink()
    (papers / "kiln.md").write_text("# Kiln\n\nThe kiln was fired twice.\n", encoding="utf-8")
    (papers / "new.md").write_text("# New\n\nNew things.\n", encoding="utf-8")
    seen = changes(client)
    assert (seen["added"], seen["changed"], seen["removed"]) == (
        [str(papers / "new.md")], [str(papers / "kiln.md")], [str(papers / "owl.md")],
    )  # fmt: skip
    kept = client.post("/v1/collections/world/index", json={}).json()
    assert (kept["added"], kept["changed"], kept["removed"]) == (1, 1, 0)
    assert [skip["reason"] for skip in kept["skipped"]] == ["the file is gone; its stored text is kept"]
    assert changes(client)["removed"] == [str(papers / "owl.md")]
    pruned = client.post("/v1/collections/world/index", json={"prune": True}).json()
    assert (pruned["removed"], pruned["skipped"]) == (1, [])
    assert client.get("/v1/collections/world").json()["documents"] == 6


def test_a_file_that_was_only_touched_is_no_change(client: TestClient, papers: Path) -> None:
    client.post(FOLDERS, json={"path": str(papers)})
    client.post("/v1/collections/world/index", json={})
    os.utime(papers / "owl.md", (1_800_000_000, 1_800_000_000))
    assert changes(client)["counts"] == {"added": 0, "changed": 0, "removed": 0, "unchanged": 2}


def test_of_a_folder_that_is_away_nothing_is_removed(client: TestClient, papers: Path) -> None:
    client.post(FOLDERS, json={"path": str(papers)})
    client.post("/v1/collections/world/index", json={})
    papers.rename(papers.with_name("away"))
    seen = changes(client)
    assert (seen["removed"], seen["missing"]) == ([], [str(papers)])
    assert client.get(FOLDERS).json()["folders"] == [{"path": str(papers), "documents": 2, "is_there": False}]
    assert client.post("/v1/collections/world/index", json={"prune": True}).json()["removed"] == 0


@pytest.mark.parametrize(
    "path", ["papers", "../papers", "/nowhere/at all", "/", "/etc/passwd", "\x00/", "~nobody7/x", "/a" * 2000]
)
def test_what_is_no_folder_is_refused(client: TestClient, path: str) -> None:
    refused = client.post(FOLDERS, json={"path": path})
    assert refused.status_code in (404, 422), refused.text
    schemas.ErrorResponse.model_validate(refused.json())
    assert client.get(FOLDERS).json()["folders"] == []


@pytest.mark.parametrize("settings", [{"host": "0.0.0.0", "token": "x" * 20}, {"folders": False}])
def test_only_a_service_of_this_machine_takes_paths(tmp_path: Path, papers: Path, settings: dict[str, Any]) -> None:
    collection_of(tmp_path / "home").close()
    headers = {"Authorization": f"Bearer {settings.get('token', '')}"}
    with client_of(service_of(tmp_path / "home", **settings), headers=headers) as client:
        refused = client.post(FOLDERS, json={"path": str(papers)})
        assert (refused.status_code, refused.json()["error"]["type"]) == (403, "not_here")
        assert client.get(FOLDERS).json() == {"folders": [], "may_add": False}


def test_a_collection_that_is_deleted_takes_its_folders_along(client: TestClient, papers: Path) -> None:
    client.post(FOLDERS, json={"path": str(papers)})
    client.delete("/v1/collections/world")
    client.post("/v1/collections", json={"name": "world"})
    assert client.get(FOLDERS).json()["folders"] == []


def test_a_text_whose_id_looks_like_a_path_is_not_removed(tmp_path: Path, papers: Path) -> None:
    collection = collection_of(tmp_path / "home")
    collection.add([Given(str(papers / "given.md"), "A text that was given.")])
    with client_of(service_of(tmp_path / "home")) as client:
        client.post(FOLDERS, json={"path": str(papers)})
        assert changes(client)["removed"] == []


def test_no_more_folders_are_bound_than_anybody_needs(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    for number in range(MOST_FOLDERS):
        (tmp_path / str(number)).mkdir()
        folders.bind("world", str(tmp_path / str(number)))
    with pytest.raises(Exception, match="50 folders are bound to 'world' already"):
        folders.bind("world", str(tmp_path))


def test_a_damaged_list_of_folders_is_none(tmp_path: Path) -> None:
    (tmp_path / "folders").mkdir()
    for damaged in ("{", '{"a": 1}', '[1, "/x"]'):
        (tmp_path / "folders" / "world.json").write_text(damaged)
        assert Folders(tmp_path).of("world") == (["/x"] if "x" in damaged else [])
