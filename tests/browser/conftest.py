"""A real browser on the real service: `qifu serve` on a free port, an empty data folder, the built pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect, sync_playwright

ROOT = Path(__file__).parents[2]
START_SECONDS = 30
BOT_SECONDS = 300  # a model that is not there yet is trained first
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; without one the tests are skipped, in CI they fail."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        message = (
            "没有找到浏览器 Chromium，页面测试无法运行；请安装 chromium（Debian：apt-get install chromium）。"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="session")
def built_pages() -> Path:
    folder = ROOT / "web" / "dist"
    if not (folder / "index.html").is_file():
        pytest.fail(
            "网页还没有构建，页面测试无法运行；请先运行 make run 或 (cd web && npm ci && npm run build)。"
        )
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """A running service and what tests ask of it beside the page."""

    address: str
    environment: dict[str, str]
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def call(
        self, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def done(
        self, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
    ) -> dict[str, Any]:
        status, answer = self.call(path, body, token=token)
        assert status < 300, answer
        return answer

    def token(self, role: str, unit: str) -> str:
        """A token of a member of staff, made by the command that an administrator uses."""
        if (role, unit) not in self.tokens:
            command = [sys.executable, "-m", "backend.cli", "staff", "create", f"{role}{len(self.tokens)}"]
            command += ["--role", role, "--unit", unit, "--print-token"]
            ran = subprocess.run(
                command,
                cwd=ROOT,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert ran.returncode == 0, ran.stderr
            self.tokens[role, unit] = ran.stdout.split()[-1]
        return self.tokens[role, unit]

    def resolve(self, number: str, words: str) -> None:
        """Lets the task force assign an appeal as proposed, and its lead department resolve it."""
        path = f"/api/v1/desk/appeals/{number}"
        office = self.token("taskforce", "专班")
        appeal = self.done(path, token=office)
        appeal = appeal.get("appeal", appeal)
        if appeal["state"] == "filed":
            self.done(f"{path}/assign", {}, token=office)
        lead = self.token("department", appeal["lead_department"])
        self.done(f"{path}/reply", {"text": words}, token=lead)
        self.done(f"{path}/resolve", {"text": words}, token=lead)

    def appeals_of(self, enterprise: str) -> list[dict[str, Any]]:
        path = f"/api/v1/desk/appeals?q={urllib.request.quote(enterprise)}"
        return list(self.done(path, token=self.token("taskforce", "专班"))["appeals"])


@contextmanager
def _serve(folder: Path, *options: str) -> Iterator[Service]:
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QIFU_")} | {
        "QIFU_PORT": str(port),
        "QIFU_DATA_DIR": str(folder),
        "QIFU_ENCODER": "none",
    }
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.cli", "serve", *options],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    service = Service(f"http://127.0.0.1:{port}", environment)
    try:
        _until(process, log, START_SECONDS, lambda: service.call("/healthz")[0] == 200)
        if not options:
            _until(process, log, BOT_SECONDS, lambda: service.call("/readyz")[0] == 200)
        yield service
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until(process: subprocess.Popen[bytes], log: Path, seconds: float, there: Callable[[], bool]) -> None:
    """Asks a starting process again and again; there is nobody who would tell."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if there():
                return
        except OSError:
            pass
        time.sleep(0.1)
    tail = log.read_text("utf-8", "replace")[-4000:]
    pytest.fail(f"qifu serve 在 {seconds} 秒内没有就绪（退出码 {process.poll()}）：\n{tail}")


@pytest.fixture(scope="session")
def service(built_pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with _serve(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="session")
def service_without_bot(built_pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with _serve(tmp_path_factory.mktemp("alone"), "--no-bot") as running:
        yield running


# Per module, not per session: Playwright's own event loop must be gone when asynchronous tests follow.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


class Portal:
    """The portal page as a person sees it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def open(self) -> Portal:
        self.page.goto(self.address)
        expect(self.named("message-input")).to_be_visible()
        return self

    def named(self, name: str) -> Locator:
        return self.page.locator(f'[data-test="{name}"]')

    def type(self, text: str) -> None:
        self.named("message-input").fill(text)

    def say(self, text: str) -> Locator:
        """Says something; returns the answer when it is there."""
        before = self.named("assistant-turn").count()
        self.type(text)
        self.page.keyboard.press("Enter")
        return self._answer(before)

    def press(self, title: str | re.Pattern[str]) -> Locator:
        """Presses a quick reply; returns the answer when it is there."""
        before = self.named("assistant-turn").count()
        self.named("quick-reply").filter(has_text=title).first.click()
        return self._answer(before)

    def _answer(self, before: int) -> Locator:
        answers = self.named("assistant-turn")
        expect(answers).to_have_count(before + 1)
        return answers.last

    def fill(self, form: str, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"#{form}-{name}").fill(value)

    def file_by_form(self, text: str, enterprise: str, phone: str = "13800000000") -> str:
        """Files an appeal by the page's own form; returns its number."""
        self.named("open-filing").click()
        self.fill("filing", enterprise=enterprise, contact="王五", phone=phone, text=text)
        self.named("filing-submit").click()
        number = self.named("filed").locator('[data-test="appeal-number"]').first.inner_text()
        self.page.keyboard.press("Escape")
        expect(self.named("filed")).to_be_hidden()
        return number

    def look_up(self, number: str, phone: str = "13800000000") -> Locator:
        self.named("open-lookup").click()
        self.fill("lookup", number=number, phone=phone)
        self.named("lookup-submit").click()
        return self.named("lookup-result")

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


Open = Callable[..., Portal]


@pytest.fixture
def portal(browser: Browser) -> Iterator[Open]:
    """Opens the page of a service in a fresh profile; at the end the page must have kept its rules."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def visit(service: Service, viewport: dict[str, int] = DESKTOP) -> Portal:
        context = browser.new_context(viewport=viewport, locale="zh-CN", base_url=service.address)  # type: ignore[arg-type]
        contexts.append(context)

        def only_ours(route: Route) -> None:
            if route.request.url.startswith((service.address + "/", "blob:")):
                route.continue_()
            else:
                faults.append(f"请求了站外地址 {route.request.url}")
                route.abort()

        context.route("**/*", only_ours)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"页面脚本出错：{error}"))
        page.on(
            "console",
            lambda message: (
                faults.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        return Portal(page, service.address + "/").open()

    yield visit
    for context in contexts:
        context.close()
    assert faults == []
