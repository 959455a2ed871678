"""One way in for settings: defaults that fit each other, and a sentence for everything that does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.settings import InvalidSettings, Settings, load_settings, variable


def test_defaults_follow_the_data_folder_host_and_port() -> None:
    settings = load_settings({"QIFU_DATA_DIR": "/srv/qifu", "QIFU_HOST": "0.0.0.0", "QIFU_PORT": "81"})
    assert settings.database_url == "sqlite:////srv/qifu/qifu.db"
    assert settings.tracker_url == "sqlite:////srv/qifu/tracker.db"
    assert settings.bot_address == "unix:/srv/qifu/bot.sock"
    assert settings.backend_url == settings.local_url == "http://127.0.0.1:81"


def test_relative_folders_are_relative_to_the_current_one(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"QIFU_KNOWLEDGE_DIR": "content"})
    assert settings.data_dir == tmp_path / "var"
    assert settings.knowledge_dir == tmp_path / "content"


def test_an_ipv6_host_is_written_in_brackets() -> None:
    assert load_settings({"QIFU_HOST": "::"}).local_url == "http://[::1]:8080"


@given(st.text("abc", min_size=1, max_size=150))
def test_a_socket_path_always_fits_and_differs_between_folders(name: str) -> None:
    address = load_settings({"QIFU_DATA_DIR": f"/srv/{name}"}).bot_address
    assert len(address.removeprefix("unix:").encode()) <= 100
    assert address != load_settings({"QIFU_DATA_DIR": f"/srv/{name}d"}).bot_address


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_settings({"QIFU_PORT": ""}).port == 8080


def test_the_command_line_wins_over_the_environment() -> None:
    assert load_settings({"QIFU_PORT": "81"}, port=82).port == 82


def test_a_misspelt_variable_is_reported_with_the_likely_one() -> None:
    with pytest.raises(InvalidSettings, match=r"没有名为 QIFU_PROT 的设置，是否想写 QIFU_PORT？") as caught:
        load_settings({"QIFU_PROT": "1"})
    assert caught.value.details == {"setting": "QIFU_PROT"}


def test_variables_of_tests_and_of_make_are_left_alone() -> None:
    others = {"QIFU_TEST_ANYTHING": "x", "QIFU_TENSORFLOW": "1", "QIFUX": "y"}
    assert load_settings(others) == load_settings({})


def test_the_process_environment_is_read(monkeypatch) -> None:
    monkeypatch.setenv("QIFU_PORT", "8123")
    assert load_settings().port == 8123
    monkeypatch.setenv("QIFU_PORTT", "1")
    with pytest.raises(InvalidSettings):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("QIFU_PORT", "x", "应为整数"),
        ("QIFU_PORT", "0", "不能小于 1"),
        ("QIFU_PORT", "65536", "不能大于 65535"),
        ("QIFU_BOT_TIMEOUT_SECONDS", "0", "应大于 0"),
        ("QIFU_BOT_TIMEOUT_SECONDS", "soon", "应为数字"),
        ("QIFU_LOG_LEVEL", "loud", "之一"),
        ("QIFU_CLOSE_OF_BUSINESS", "noon", "应为 HH:MM"),
        ("QIFU_DATABASE_URL", "mysql://user:secret@host/db", "应以 sqlite:/// 或 postgresql:// 开头"),
        ("QIFU_REDIS_URL", "host:6379", "应以 redis://"),
        ("QIFU_AMQP_URL", "host:5672", "应以 amqp://"),
        ("QIFU_BOT_ADDRESS", "http://10.0.0.1:9000", "只允许本机地址"),
        ("QIFU_BOT_ADDRESS", "http://127.0.0.1", "只允许本机地址"),
        ("QIFU_BOT_ADDRESS", "unix:", "只允许本机地址"),
        ("QIFU_BOT_ADDRESS", "unix:/" + "x" * 120, "超过"),
        ("QIFU_BACKEND_URL", "host", "应写成 http://"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_not_repeated(name: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings({name: value})
    assert caught.value.message.startswith(f"设置 {name} 的值不能用：")
    assert reason in caught.value.message
    assert "secret" not in caught.value.message


def test_a_level_may_be_written_small() -> None:
    assert load_settings({"QIFU_LOG_LEVEL": "debug"}).log_level == "DEBUG"


def test_passwords_do_not_show_when_settings_are_printed() -> None:
    url = "postgresql://qifu:secret@db/qifu"
    settings = load_settings(
        {"QIFU_DATABASE_URL": url, "QIFU_TRACKER_URL": url, "QIFU_REDIS_URL": "redis://:secret@r"}
    )
    assert "secret" not in repr(settings)
    assert "secret" not in str(settings)


def test_the_bot_is_given_what_was_worked_out_and_nothing_unset() -> None:
    given_to_bot = load_settings({"QIFU_DATA_DIR": "/srv/qifu", "QIFU_PORT": "81"}).bot_environment()
    assert given_to_bot["QIFU_BACKEND_URL"] == "http://127.0.0.1:81"
    assert given_to_bot["QIFU_TRACKER_URL"] == "sqlite:////srv/qifu/tracker.db"
    assert "QIFU_REDIS_URL" not in given_to_bot
    assert given_to_bot.keys() <= {variable(field) for field in Settings.model_fields}


@pytest.mark.parametrize(
    "url", ["https://notices.example.cn/in", "http://127.0.0.1:9/in", "http://localhost/in"]
)
def test_numbers_leave_the_house_in_private_only(url: str) -> None:
    assert load_settings({}, notice_url=url, notice_phone=True).notice_url == url
    with pytest.raises(InvalidSettings, match="QIFU_NOTICE_PHONE"):
        load_settings({}, notice_url="http://notices.example.cn/in", notice_phone=True)
    assert load_settings({}, notice_url="http://notices.example.cn/in").notice_phone is False
