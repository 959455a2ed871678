"""A notice gateway: a district's own service that sends short messages or posts to a work chat.

It gets each message as JSON by HTTP POST, signed, with a key by which it tells repeats (docs/api.md).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Final

import aiohttp

from backend.appeals.calendar import local
from backend.appeals.ports import Clock
from backend.supervision.model import Claimed
from backend.supervision.ports import NotDelivered

SIGNATURE_HEADER: Final = "X-Qifu-Signature"
TIMESTAMP_HEADER: Final = "X-Qifu-Timestamp"
KEY_HEADER: Final = "Idempotency-Key"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256 of timestamp, a dot and the body, in hexadecimal."""
    signed = timestamp.encode("ascii") + b"." + body
    return "sha256=" + hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).hexdigest()


def content(claimed: Claimed) -> dict[str, Any]:
    """What the gateway is sent; names units and numbers of appeals, never what a person wrote.

    The enterprise's number comes along only where the settings say so.
    """
    message = claimed.message
    sent: dict[str, Any] = {
        "key": message.key,
        "kind": message.kind.value,
        "audience": message.audience.value,
        "role": message.to.role.value if message.to else None,
        "unit": message.to.unit if message.to else None,
        "channel": message.channel,
        "number": message.number,
        "subject": message.subject,
        "body": message.body,
        "created_at": local(message.at).isoformat(timespec="seconds"),
        "attempt": claimed.attempts,
    }
    if claimed.phone is not None:
        sent["phone"] = claimed.phone
    return sent


class NoticeGateway:
    """Posts messages to one address.

    Args:
        url: Where to.
        secret: Signs each message; None sends them unsigned.
        clock: The present moment, for the timestamp.
        timeout: Seconds that one try may take.
    """

    def __init__(self, url: str, secret: str | None, clock: Clock, timeout: float) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def deliver(self, claimed: Claimed) -> None:
        """Post one message.

        Raises:
            NotDelivered: The gateway did not answer with 2xx.
        """
        body = json.dumps(content(claimed), ensure_ascii=False).encode("utf-8")
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            KEY_HEADER: claimed.message.key,
            TIMESTAMP_HEADER: timestamp,
        }
        if self._secret:
            headers[SIGNATURE_HEADER] = signature(self._secret, timestamp, body)
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
        except TimeoutError:
            raise NotDelivered("通知网关没有及时应答") from None
        except (aiohttp.ClientError, OSError) as error:
            # what a library says may quote the address; only the kind of the error is kept
            raise NotDelivered(f"通知网关连接失败（{type(error).__name__}）") from None
        if not 200 <= status < 300:
            raise NotDelivered(f"通知网关应答 HTTP {status}")

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
