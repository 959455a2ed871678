"""What `qifu serve` finds out before and while it starts anything."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from backend.cli import main
from backend.cli.instance import only_one
from backend.cli.serve import get_json, require_free_port, require_writable
from backend.errors import Conflict, InvalidInput

ROOT = Path(__file__).parents[3]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_that_is_taken_is_said_before_anything_starts(service, monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("QIFU_MODEL_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("QIFU_PORT", str(service.port))
    assert main(["serve"]) == 2
    error = capsys.readouterr().err
    assert error == f"端口 {service.port} 已被别的程序占用；请停止它，或用 QIFU_PORT 换一个端口。\n"


def test_a_free_port_is_free_and_an_address_of_another_machine_is_not_ours() -> None:
    require_free_port("127.0.0.1", free_port())
    with pytest.raises(InvalidInput, match="QIFU_HOST"):
        require_free_port("192.0.2.1", free_port())


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    require_writable(tmp_path / "new" / "folder")
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="不能写"):
        require_writable(tmp_path / "file")
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == []


def test_a_data_folder_has_one_service(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(Conflict, match="已有一个服务"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


async def test_json_is_asked_for_over_tcp_and_unix_sockets(service, tmp_path: Path) -> None:
    service.answer = lambda path, body: (200, {"status": "ok"})
    assert await get_json(service.url, "/healthz") == {"status": "ok"}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"ready": true}')
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(answer, tmp_path / "s"):
        assert await get_json(f"unix:{tmp_path / 's'}", "/healthz") == {"ready": True}


@pytest.mark.parametrize(("status", "body"), [(503, {"ready": False}), (200, b"<html>"), (200, b"[]")])
async def test_anything_else_is_no_answer(service, status: int, body: object) -> None:
    service.answer = lambda path, _: (status, body)
    assert await get_json(service.url, "/healthz") is None


async def test_nobody_there_is_no_answer(tmp_path: Path) -> None:
    assert await get_json(f"unix:{tmp_path / 'absent'}", "/healthz") is None
    assert await get_json(f"http://127.0.0.1:{free_port()}", "/healthz") is None


@pytest.mark.database
async def test_the_service_without_the_bot_answers_and_stops_in_order(tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | {
        "QIFU_DATA_DIR": str(tmp_path / "var"),
        "QIFU_MODEL_DIR": str(tmp_path / "models"),
        "QIFU_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "backend.cli", "serve", "--no-bot",
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        assert f"http://127.0.0.1:{port}/" in line
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/chat",
            data=json.dumps({"sender": "one", "message": "诉求热线电话是多少"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        answer = json.loads(
            await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=30).read())
        )
        assert answer["messages"][0]["text"]
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            rest, _ = await process.communicate()
    assert process.returncode == 0
    assert "正在停止" in rest.decode()
    assert await get_json(f"http://127.0.0.1:{port}", "/healthz") is None
