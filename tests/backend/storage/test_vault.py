"""The data key: made once, kept to its owner, known again; what is sealed with it stays sealed."""

from __future__ import annotations

import base64
import logging
import multiprocessing
import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.storage.vault import KEY_FILE, Vault, WrongKey, decode_key, open_vault

KEY = bytes(range(32))


def test_the_first_run_makes_a_key_that_the_next_one_finds(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "var"
    first = open_vault(None, folder)
    assert open_vault(None, folder).check == first.check
    assert [file.name for file in folder.iterdir()] == [KEY_FILE]
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode((folder / KEY_FILE).read_text())) == 32


def _open(folder: Path, start: object, found: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    found.put(open_vault(None, folder).check)  # type: ignore[attr-defined]


def test_two_first_runs_at_once_take_the_same_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, found = context.Barrier(4), context.Queue()
    workers = [context.Process(target=_open, args=(tmp_path, start, found)) for _ in range(4)]
    for worker in workers:
        worker.start()
    checks = {found.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert checks == {open_vault(None, tmp_path).check}
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_is_written_in_base64_or_hexadecimal(tmp_path: Path) -> None:
    written = base64.b64encode(KEY).decode()
    same = {open_vault(text, tmp_path).check for text in (written, KEY.hex(), f" {KEY.hex().upper()}\n")}
    assert same == {Vault(KEY).check}
    assert list(tmp_path.iterdir()) == []
    (tmp_path / KEY_FILE).write_text(KEY.hex())
    assert open_vault(None, tmp_path).check == Vault(KEY).check


@pytest.mark.parametrize(
    "text", ["", "short", KEY.hex()[:-2], KEY.hex() + "00", base64.b64encode(KEY[:-1]).decode(), "密钥" * 22]
)
def test_what_is_no_key_is_refused_and_not_repeated(text: str, tmp_path: Path) -> None:
    with pytest.raises(WrongKey) as refused:
        decode_key(text)
    assert not text or text not in str(refused.value)
    (tmp_path / KEY_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(WrongKey):
        open_vault(None, tmp_path)
    assert (tmp_path / KEY_FILE).read_text(encoding="utf-8") == text


def test_no_key_is_made_where_there_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(WrongKey, match=KEY_FILE):
        open_vault(None, tmp_path / "var", make=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_key_is_said(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(WrongKey, match="无法读写"):
        open_vault(None, tmp_path)


@given(st.text())
def test_what_is_sealed_opens_with_its_key_only(text: str) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(text)
    assert vault.open(sealed) == text
    assert not text or vault.seal(text) != sealed
    if len(text) > 2:
        assert text not in sealed
    if text:
        with pytest.raises(WrongKey):
            Vault(bytes(32)).open(sealed)


@given(st.text(min_size=1), st.data())
def test_a_changed_seal_does_not_open(text: str, data: st.DataObject) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(text)
    place = data.draw(st.integers(0, len(sealed) - 1))
    sign = data.draw(st.characters(codec="ascii").filter(lambda sign: sign != sealed[place]))
    for changed in (sealed[:place] + sign + sealed[place + 1 :], sealed[:place], sealed + sign):
        if changed:
            with pytest.raises(WrongKey):
                vault.open(changed)


@given(st.text(), st.text())
def test_a_fingerprint_is_known_again_and_says_nothing(first: str, second: str) -> None:
    vault = Vault(KEY)
    assert (vault.fingerprint(first) == vault.fingerprint(second)) is (first == second)
    assert vault.fingerprint(first) != Vault(bytes(32)).fingerprint(first)
    assert vault.fingerprint(first) != vault.sign(first.encode("utf-8", "surrogatepass"))


def test_the_four_keys_are_not_the_key_nor_each_other() -> None:
    key = secrets.token_bytes(32)
    stretched = list(vars(Vault(key)).values())
    assert len({key, *stretched}) == 5


def test_a_vault_shows_nothing_of_its_key(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        vault = open_vault(KEY.hex(), Path("unused"))
        logging.getLogger("x").info("%r %s", vault, vault)
    assert KEY.hex() not in caplog.text
    assert not any(value.hex() in caplog.text for value in vars(vault).values())
