"""Keeps what is said in a conversation unreadable to who has the store of conversations but not the key.

People give names and telephone numbers there, which the appeals' own tables never hold in plain text either.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_FORMAT: Final = "s1:"
_NONCE_BYTES: Final = 12


class Sealer:
    """AES-256-GCM under one key.

    Args:
        key: 64 hexadecimal digits.

    Raises:
        ValueError: It is something else.
    """

    def __init__(self, key: str) -> None:
        try:
            raw = bytes.fromhex(key)
        except ValueError:
            raw = b""
        if len(raw) != KEY_BYTES:
            raise ValueError("a key has 64 hexadecimal digits")
        self._cipher = AESGCM(raw)

    def seal(self, text: str) -> str:
        """Encrypts; the same text never gives the same result."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode("utf-8"), None)
        return _FORMAT + base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, stored: str) -> str:
        """Decrypts what `seal` gave; what was stored before there was a key is as it was.

        Raises:
            cryptography.exceptions.InvalidTag: Sealed with another key, or changed since.
            binascii.Error: Cut off.
        """
        if not stored.startswith(_FORMAT):
            return stored
        raw = base64.b64decode(stored.removeprefix(_FORMAT), validate=True)
        if len(raw) <= _NONCE_BYTES:
            raise binascii.Error("too short")
        return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode("utf-8")
