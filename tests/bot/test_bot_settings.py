"""What the bot reads from its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import BadSetting, BotSettings, check_address


def test_defaults_need_no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = BotSettings.from_environment({})
    assert settings.address.startswith("unix:")
    assert settings.backend_url == "http://127.0.0.1:8080"
    assert settings.tracker_url == "sqlite:///var/tracker.db"
    assert settings.model_dir == Path("models")
    assert settings.redis_url is settings.amqp_url is settings.tracker_key is None


def test_every_name_is_read() -> None:
    settings = BotSettings.from_environment(
        {
            "QIFU_BOT_ADDRESS": "http://127.0.0.1:5006",
            "QIFU_BACKEND_URL": "http://127.0.0.1:9000",
            "QIFU_TRACKER_URL": "postgresql://db/rasa",
            "QIFU_TRACKER_KEY": "0f" * 32,
            "QIFU_MODEL_DIR": "/srv/models",
            "QIFU_REDIS_URL": "redis://127.0.0.1/1",
            "QIFU_AMQP_URL": "amqp://127.0.0.1/",
            "QIFU_LOG_LEVEL": "warning",
        }
    )
    assert settings == BotSettings(
        "http://127.0.0.1:5006", "http://127.0.0.1:9000", "postgresql://db/rasa", "0f" * 32,
        Path("/srv/models"),
        "redis://127.0.0.1/1", "amqp://127.0.0.1/", "WARNING",
    )  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "http://0.0.0.0:5005",
        "http://192.168.1.2:80",
        "https://127.0.0.1:1",
        "http://127.0.0.1",
        "unix:",
        "x",
        "",
        "http://127.0.0.1:x",
    ],
)
def test_an_address_that_others_could_reach_is_refused(address: str) -> None:
    with pytest.raises(BadSetting, match="loopback"):
        check_address(address)


@pytest.mark.parametrize("key", ["0f" * 31, "0G" * 32, "密" * 64, "0f" * 33])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(BadSetting, match="QIFU_TRACKER_KEY"):
        BotSettings.from_environment({"QIFU_TRACKER_KEY": key})


def test_a_wrong_level_is_refused() -> None:
    with pytest.raises(BadSetting, match="QIFU_LOG_LEVEL"):
        BotSettings.from_environment({"QIFU_LOG_LEVEL": "loud"})


def test_a_long_folder_gets_a_short_socket(tmp_path: Path) -> None:
    settings = BotSettings.from_environment({"QIFU_DATA_DIR": str(tmp_path / ("x" * 120))})
    assert len(settings.address.removeprefix("unix:").encode()) <= 100
