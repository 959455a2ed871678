"""The key of the tests."""

from __future__ import annotations

from backend.storage.vault import Vault

VAULT = Vault(bytes(range(32)))
