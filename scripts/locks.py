"""Write the requirement locks from pyproject.toml: `make lock`, or `make lock UPGRADE=1` for newer versions.

A lock holds versions and hashes, no address of an index and no path of a machine, so it installs
from whichever index the reader's pip is set up for. The resolver is uv, in a temporary environment;
pip alone cannot override the stale pins of Rasa 3.6.

Only the standard library is used here.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = "uv==0.13.9"

RUNTIME = ROOT / "requirements.lock"
DEV = ROOT / "requirements-dev.lock"
NODE = ROOT / "requirements-node.lock"
TENSORFLOW = ROOT / "requirements-tensorflow.lock"

# tensorflow-cpu 2.12 refuses the versions of these that the runtime lock takes
_TENSORFLOW_DIFFERS = {"wrapt", "typing-extensions"}

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    """Return name → version of every requirement of a lock."""
    return dict(_PIN.findall(lock.read_text(encoding="utf-8")))


def _compile(
    uv: Path, arguments: list[str], output: Path, constraints: dict[str, str], upgrade: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        constraint_file = Path(folder) / "constraints.txt"
        constraint_file.write_text(
            "".join(f"{name}=={version}\n" for name, version in constraints.items()), encoding="utf-8"
        )
        command = [
            str(uv),
            "pip",
            "compile",
            "--quiet",
            "--python-version=3.11",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
            "--no-emit-index-url",
            "--no-emit-find-links",
            f"--constraint={constraint_file}",
            f"--output-file={output}",
            *(["--upgrade"] if upgrade else []),
            *arguments,
        ]
        subprocess.run(command, cwd=ROOT, check=True)
    print(f"{output.name}: {len(pins(output))} packages", flush=True)


def main() -> int:
    """Write all four locks; the runtime's first, because the others keep to its versions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    upgrade = parser.parse_args().upgrade
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        scripts = Path(folder) / "bin"
        subprocess.run([scripts / "pip", "install", "--quiet", UV], check=True)
        uv = scripts / "uv"
        project = ["pyproject.toml"]
        _compile(uv, project, RUNTIME, {}, upgrade)
        runtime = pins(RUNTIME)
        _compile(uv, ["--group=dev"], DEV, runtime, upgrade)
        _compile(uv, ["--group=node"], NODE, runtime, upgrade)
        close = {name: version for name, version in runtime.items() if name not in _TENSORFLOW_DIFFERS}
        _compile(uv, [*project, "--group=tensorflow"], TENSORFLOW, close, upgrade)
    return 0


if __name__ == "__main__":
    sys.exit(main())
