"""What keeps personal data unreadable at rest, and the record impossible to rewrite unnoticed.

One key of 32 bytes, from the settings or from a file made on the first run, is stretched into four: one that
encrypts contacts (AES-256-GCM), one that fingerprints telephone numbers so that they can be looked up without
being read, one that signs the record, and one that the bot is given to seal conversations with. Who holds the
database but not the key can do none of this.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path
from typing import Final

from backend.errors import QifuError

KEY_BYTES: Final = 32
KEY_FILE: Final = "data.key"
_FORMAT: Final = "v1:"
_NONCE_BYTES: Final = 12


class WrongKey(QifuError):
    """The data key cannot be read, or is not the one that the database was written with."""

    code = "wrong_key"


class Vault:
    """Encrypts, fingerprints and signs with one key.

    Args:
        key: 32 random bytes.

    Raises:
        WrongKey: The key has another length.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise WrongKey(f"数据密钥应是 {KEY_BYTES} 字节。")
        self._lookup = _stretched(key, b"lookup")
        self._record = _stretched(key, b"record")
        self._contact = _stretched(key, b"contact")
        self._dialogue = _stretched(key, b"dialogue")

    def seal(self, text: str) -> str:
        """Encrypts a text; twice the same text gives two results. Nothing stays nothing."""
        if not text:
            return ""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._contact).encrypt(nonce, text.encode("utf-8"), None)
        return _FORMAT + base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str) -> str:
        """Decrypts what `seal` gave.

        Raises:
            WrongKey: It was sealed with another key, or changed since.
        """
        if not sealed:
            return ""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            raw = base64.b64decode(sealed.removeprefix(_FORMAT), validate=True)
            if _FORMAT + base64.b64encode(raw).decode("ascii") != sealed:
                raise ValueError  # one sealed text is written in one way only
            text = AESGCM(self._contact).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None)
        except (InvalidTag, binascii.Error, ValueError):
            raise WrongKey("联系方式无法解密：数据密钥不符，或者数据被改动过。") from None
        return text.decode("utf-8")

    def fingerprint(self, text: str) -> str:
        """A keyed hash of a normal telephone number, in hexadecimal; the same number gives the same one."""
        return hmac.new(self._lookup, text.encode("utf-8"), hashlib.sha256).hexdigest()

    def sign(self, content: bytes) -> str:
        """The signature of a piece of the record, in hexadecimal."""
        return hmac.digest(self._record, content, "sha256").hex()

    @property
    def dialogue_key(self) -> str:
        """The key for conversations, in hexadecimal; tells nothing of the others."""
        return self._dialogue.hex()

    @property
    def check(self) -> str:
        """What a database remembers of its key, to know it again."""
        return self.sign(b"key check")


def _stretched(key: bytes, purpose: bytes) -> bytes:
    """HKDF-SHA256 with one block (RFC 5869), written out because one block needs no library."""
    extracted = hmac.new(b"qifu data key", key, hashlib.sha256).digest()
    return hmac.new(extracted, purpose + b"\x01", hashlib.sha256).digest()


def decode_key(text: str) -> bytes:
    """A key as it is written in a setting or a file: 32 bytes in base64, or 64 hexadecimal digits.

    Raises:
        WrongKey: It is neither.
    """
    plain = text.strip()
    try:
        key = bytes.fromhex(plain) if len(plain) == 2 * KEY_BYTES else base64.b64decode(plain, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise WrongKey("数据密钥应写成 32 字节的 base64（44 个字符）或 64 位十六进制数。")
    return key


def open_vault(key: str | None, data_dir: Path, *, make: bool = True) -> Vault:
    """The vault of an installation.

    Args:
        key: From the settings; None takes the file ``data.key`` of the data folder, made if missing.
        data_dir: The data folder.
        make: Whether a missing key is made; not where there is data already, which only its own key reads.

    Raises:
        WrongKey: The key cannot be used.
    """
    if key:
        return Vault(decode_key(key))
    file = data_dir / KEY_FILE
    if not make and not file.exists():
        raise WrongKey(f"没有数据密钥：请设置 QIFU_DATA_KEY，或者把 {KEY_FILE} 放回数据文件夹 {data_dir}。")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # linked into place whole, so that of two first starts at once both read the same key
        fresh = file.with_name(f".{KEY_FILE}.{os.getpid()}")
        if not file.exists():
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as opened:
                opened.write(base64.b64encode(os.urandom(KEY_BYTES)).decode("ascii") + "\n")
                opened.flush()
                os.fsync(opened.fileno())
            try:
                os.link(fresh, file)
            except FileExistsError:
                pass
            finally:
                fresh.unlink(missing_ok=True)
        return Vault(decode_key(file.read_text(encoding="ascii")))
    except (OSError, UnicodeDecodeError):
        raise WrongKey(f"数据密钥文件 {file} 无法读写，请检查权限，或者设置 QIFU_DATA_KEY。") from None
