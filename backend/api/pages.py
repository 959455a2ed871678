"""Serves the built pages, and says what to do where they are not built.

A path without a file ending is a place inside the page, which finds its own way: it gets `index.html`.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import hdrs, web

_NO_PAGES = ("/api/", "/channels/", "/metrics", "/healthz", "/readyz")
_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}
_NOT_BUILT = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>企服助手</title>
<body>
<h1>企服助手</h1>
<p>服务已经启动，但网页还没有构建。请在项目目录运行 <code>make run</code>，然后刷新本页。</p>
<p>接口不受影响，说明见 <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>。</p>
</body>
</html>
"""


class Pages:
    """The folder of the built pages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def serves(self, request: web.Request) -> bool:
        """Whether a path that no endpoint has may be a page or a file of the pages."""
        return request.method in {hdrs.METH_GET, hdrs.METH_HEAD} and not (request.path + "/").startswith(
            tuple(prefix.rstrip("/") + "/" for prefix in _NO_PAGES)
        )

    def answer(self, request: web.Request) -> web.StreamResponse | None:
        """Finds the file of a path.

        Args:
            request: For which `serves` holds.

        Returns:
            The file, the page for a place inside it, or a page that says how to build; None for a missing
            file.
        """
        index = self._folder / "index.html"
        if not index.is_file():
            return web.Response(text=_NOT_BUILT, content_type="text/html", charset="utf-8", headers=_SECURITY)
        path = request.path.lstrip("/")
        file = self._file(path) if path else index
        if file is None:
            if "." in path.rsplit("/", 1)[-1]:
                return None
            file = index
        # Vite puts a hash of the content into the names below assets/
        lasting = file.parent.name == "assets" and file != index
        caching = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return web.FileResponse(file, headers={**_SECURITY, hdrs.CACHE_CONTROL: caching})

    def _file(self, path: str) -> Path | None:
        if not path.isprintable() or any(part.startswith(".") for part in path.split("/")):
            return None
        try:
            file = (self._folder / path).resolve()
            inside = file.is_relative_to(self._folder) and file.is_file()
        except (OSError, ValueError):
            return None
        return file if inside else None
