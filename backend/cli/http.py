"""The small HTTP client of the commands that talk to the running service."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from backend.errors import InvalidInput, QifuError, Unavailable

TIMEOUT_SECONDS = 30.0

# The service is on this machine: a proxy that the environment names has no part in it.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def service_url(given: str | None, default: str) -> str:
    """Return the address of the service, without a slash at its end.

    Raises:
        InvalidInput: It is not an HTTP address.
    """
    url = (given or default).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise InvalidInput(f"“{url}” 不是 http:// 或 https:// 开头的地址。")
    return url


def call(url: str, body: dict[str, Any] | None = None, *, timeout: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """Send JSON (or nothing, with GET) and return the JSON that comes back.

    Raises:
        Unavailable: The service does not answer.
        QifuError: It answered with an error; code and sentence are the service's own.
    """
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise _said(error) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unavailable(f"连接不上 {url}（{reason}）；服务启动了吗？用 qifu serve 启动。") from None
    return found


def _said(error: urllib.error.HTTPError) -> QifuError:
    try:
        said = json.load(error)["error"]
        return QifuError(str(said["message"]), code=str(said["code"]), status=error.code)
    except (ValueError, KeyError, TypeError):
        return QifuError(f"服务答复了错误 {error.code}。", code="bad_answer", status=error.code)
