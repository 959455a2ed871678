"""The `qifu` command as a whole: one sentence for what is wrong, exit codes, and the small commands."""

from __future__ import annotations

import asyncio
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.cli import COMMANDS, main
from backend.composition import vault_of
from backend.hotline.unanswered import UnansweredService
from backend.settings import load_settings
from backend.storage.database import Database


def test_help_names_every_command(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert [command.NAME for command in COMMANDS if command.NAME not in out] == []


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["eval"], ["staff"], ["staff", "create", "x"], ["unanswered", "--days", "0"]]
)
def test_misuse_ends_with_2(arguments, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_misspelt_setting_stops_every_command(monkeypatch, capsys) -> None:
    monkeypatch.setenv("QIFU_DATADIR", "/srv")
    assert main(["check"]) == 2
    assert capsys.readouterr().err == "没有名为 QIFU_DATADIR 的设置，是否想写 QIFU_DATA_DIR？\n"


def test_check_names_file_and_line(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "knowledge" / "qiantang"
    folder.mkdir(parents=True)
    (folder / "faq.yaml").write_text("entries:\n- {id: x}\n", encoding="utf-8")
    assert main(["check", str(tmp_path / "knowledge")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if re.match(r"qiantang/faq\.yaml:2: .", line)] != []
    assert re.fullmatch(r"共 \d+ 处问题。", lines[-1])


def test_the_projects_own_knowledge_passes(capsys) -> None:
    assert main(["check"]) == 0, capsys.readouterr().out


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.database
def test_migrating_makes_the_database_and_can_be_repeated(data: Path, capsys) -> None:
    assert [main(["migrate"]), main(["migrate"])] == [0, 0]
    assert (data / "qifu.db").is_file()


@pytest.mark.database
def test_an_account_for_programs(data: Path, capsys) -> None:
    made = ["staff", "create", "zhujian", "--role", "department", "--unit", "区住建局", "--print-token"]
    assert main(made) == 0
    out = capsys.readouterr().out
    assert len(out.split()) == 1
    assert len(out.strip()) >= 43
    assert main(["staff", "list"]) == 0
    assert capsys.readouterr().out == "zhujian\tdepartment\t区住建局\t在用\n"
    assert main(made) == 2
    assert "已经有人使用" in capsys.readouterr().err
    assert main(["staff", "token", "zhujian"]) == 0
    assert capsys.readouterr().out not in ("", out)
    assert main(["staff", "disable", "zhujian"]) == 0
    assert main(["staff", "token", "zhujian"]) == 2


@pytest.mark.database
def test_an_account_for_a_person(data: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long password\n"))
    assert main(["staff", "create", "chief", "--role", "admin", "--password-stdin"]) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["staff", "passwd", "chief", "--password-stdin"]) == 2
    assert "密码应为" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["staff", "passwd", "chief"]) == 2
    assert "--password-stdin" in capsys.readouterr().err


@pytest.mark.database
def test_a_unit_that_does_not_exist_is_refused(data: Path, capsys) -> None:
    assert main(["staff", "create", "x1", "--role", "department", "--unit", "区没有局", "--print-token"]) == 2
    assert "没有找到这个单位" in capsys.readouterr().err


@pytest.mark.database
def test_questions_without_an_answer_are_printed(data: Path, capsys) -> None:
    assert main(["unanswered"]) == 0
    assert capsys.readouterr().out == "最近 30 天没有答上来的问题：0 组，共问 0 次。\n"
    database = Database(load_settings().database_url, vault_of(load_settings()))
    service = UnansweredService(database, lambda: datetime.now(UTC))

    async def ask() -> None:
        for question in ("红烧肉怎么做", "红烧肉怎么做", "红烧肉要怎么做", "今晚看什么电影"):
            service.record(question)
        await service.finish()
        await database.close()

    asyncio.run(ask())
    assert main(["unanswered", "--days", "7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "最近 7 天没有答上来的问题：2 组，共问 4 次。"
    assert re.fullmatch(r"3\t\d{4}-\d\d-\d\d\t红烧肉怎么做", lines[1])
    assert lines[2] == "\t1\t红烧肉要怎么做"
    assert main(["unanswered", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [group["count"] for group in found["groups"]] == [3, 1]
    assert set(found["groups"][0]["questions"][0]) == {"id", "question", "count", "first_at", "last_at"}
    assert datetime.fromisoformat(found["groups"][0]["last_at"]).tzinfo is not None


def staff(*words: str) -> int:
    return main(["staff", *words])


@pytest.mark.database
def test_the_life_of_an_account_at_the_command_line(data: Path, monkeypatch, capsys) -> None:
    assert staff("create", "zhu", "--role", "operator", "--print-token") == 0
    assert staff("token", "zhu", "--label", "日报", "--days", "2") == 0
    capsys.readouterr()
    assert staff("tokens", "zhu") == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(row[0], row[1], row[4], row[5]) for row in rows] == [
        ("2", "日报", "-", "有效"),
        ("1", "cli", "-", "有效"),
    ]
    assert staff("revoke", "zhu", "--id", "1") == 0
    assert staff("revoke", "zhu", "--label", "日报") == 0
    assert staff("revoke", "zhu", "--all") == 0
    assert capsys.readouterr().out == (
        "已收回 zhu 的第 1 号令牌。\n已收回 zhu 的 1 个令牌。\n已收回 zhu 的 0 个令牌。\n"
    )
    assert staff("tokens", "zhu") == 0
    assert [line.split("\t")[5] for line in capsys.readouterr().out.splitlines()] == ["已收回", "已收回"]
    assert [staff("revoke", "zhu", "--id", "9"), staff("tokens", "nobody")] == [2, 2]
    assert staff("role", "zhu", "--role", "department", "--unit", "住建局") == 0
    assert capsys.readouterr().out == "zhu 现在是 department，区住建局。\n"
    assert staff("role", "zhu", "--role", "department") == 2
    assert [staff("disable", "zhu"), staff("enable", "zhu"), staff("list")] == [0, 0, 0]
    assert capsys.readouterr().out.endswith("zhu\tdepartment\t区住建局\t在用\n")


@pytest.mark.database
def test_liaisons_are_paired_at_the_command_line(data: Path, capsys) -> None:
    assert staff("create", "zhu", "--role", "liaison", "--print-token") == 0
    assert staff("create", "wang", "--role", "operator", "--print-token") == 0
    assert staff("pair", "zhu", "杭州测试科技有限公司") == 0
    assert staff("pair", "wang", "杭州测试科技有限公司") == 2
    capsys.readouterr()
    assert staff("enterprises", "zhu") == 0
    assert capsys.readouterr().out.split("\t")[0] == "杭州测试科技有限公司"
    # the name is compared without its legal form
    assert staff("unpair", "zhu", "杭州测试科技") == 0
    assert staff("unpair", "zhu", "杭州测试科技") == 2
    capsys.readouterr()
    assert staff("enterprises", "zhu") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "words",
    [
        ["revoke", "zhu"],
        ["revoke", "zhu", "--all", "--id", "1"],
        ["token", "zhu", "--days", "0"],
        ["token", "zhu", "--days", "x"],
        ["token", "zhu", "--days", "nan"],
        ["role", "zhu", "--role", "king"],
        ["pair", "zhu"],
    ],
)
def test_misuse_of_the_accounts_ends_with_2(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        staff(*words)
    assert ended.value.code == 2
