"""The built pages are served, and nothing else of the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_helpers import Backend, refused


@pytest.fixture
def web(backend: Backend) -> Path:
    folder = backend.container.settings.web_dir
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>门户</title>", encoding="utf-8")
    (folder / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "assets" / "app-1a2b.js").write_text("let x = 1", encoding="utf-8")
    (folder / "assets" / "app-1a2b.js.gz").write_bytes(b"compressed")
    (folder / ".secret").write_text("hidden", encoding="utf-8")
    (folder.parent / "private.txt").write_text("private", encoding="utf-8")
    (folder / "link.txt").symlink_to(folder.parent / "private.txt")
    return folder


async def test_the_page_is_checked_for_news_each_time(backend: Backend, web: Path) -> None:
    answer = await backend.get("/")
    assert answer.status == 200
    assert "门户" in await answer.text()
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = await backend.get("/", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


async def test_files_with_a_hash_are_kept_for_long(backend: Backend, web: Path) -> None:
    answer = await backend.get("/assets/app-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.content_type in {"text/javascript", "application/javascript"}
    assert await answer.text() == "let x = 1"


async def test_a_compressed_file_is_used_if_there(backend: Backend, web: Path) -> None:
    answer = await backend.client.session.get(
        backend.client.make_url("/assets/app-1a2b.js"),
        headers={"Accept-Encoding": "gzip"},
        auto_decompress=False,
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    assert await answer.read() == b"compressed"


@pytest.mark.parametrize("path", ["/appeals", "/appeals/QT20261116-0001x", "/deep/er", "/desk"])
async def test_places_inside_the_page_get_the_page(backend: Backend, web: Path, path: str) -> None:
    answer = await backend.get(path)
    assert answer.status == 200
    assert "门户" in await answer.text()


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/assets/missing.js",
        "/.secret",
        "/link.txt",
        "/%2e%2e/private.txt",
        "/..%2fprivate.txt",
        "/assets/..%2f..%2fprivate.txt",
        "/assets/%2e%2e/%2e%2e/private.txt",
        "/%00.txt",
        "/" + "a" * 3000 + ".txt",
    ],
)
async def test_nothing_else_is_served(backend: Backend, web: Path, path: str) -> None:
    from yarl import URL

    url = URL(str(backend.client.make_url("/")).rstrip("/") + path, encoded=True)
    answer = await backend.client.session.get(url)
    text = await answer.text()
    assert "private" not in text
    assert "hidden" not in text
    assert answer.status == 404


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1/nothing", "/channels/wechat", "/healthz/x", "/metrics/x"]
)
async def test_unknown_addresses_of_the_api_are_not_pages(backend: Backend, web: Path, path: str) -> None:
    await refused(await backend.get(path), 404, "not_found")


async def test_only_reading_is_for_pages(backend: Backend, web: Path) -> None:
    await refused(await backend.post("/"), 404, "not_found")
    head = await backend.client.head("/")
    assert head.status == 200
    assert await head.read() == b""


async def test_pages_that_are_not_built_are_told_plainly(backend: Backend) -> None:
    answer = await backend.get("/")
    assert answer.status == 200
    assert "make run" in await answer.text()
    assert answer.content_type == "text/html"
