"""The files under deploy/: systemd accepts them, and they keep the server in its place. Needs Debian's systemd."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.client import Address, Client

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
EXPOSURE_LIMIT = 2.0  # of systemd's 10, the best being 0

pytestmark = [pytest.mark.node]


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with a command that exists here."""
    for path in UNITS.rglob("litephant.*"):
        target = tmp_path / path.relative_to(UNITS)
        target.parent.mkdir(exist_ok=True)
        target.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", path.read_text(), flags=re.MULTILINE))
    return tmp_path


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("scope", ["system", "user"])
def test_systemd_accepts_the_units(units: Path, scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(units))
    folder = units if scope == "system" else units / "user"
    files = [str(folder / name) for name in ("litephant.service", "litephant.socket")]
    assert "litephant" not in run("systemd-analyze", f"--{scope}", "verify", *files)


def test_the_service_is_kept_in_its_place(units: Path) -> None:
    report = run("systemd-analyze", "security", "--offline=yes", str(units / "litephant.service"))
    found = re.search(r"Overall exposure level for litephant.service: ([\d.]+)", report)
    assert found is not None, report
    assert float(found[1]) <= EXPOSURE_LIMIT


def test_systemd_opens_the_socket(tmp_path: Path) -> None:
    """The first client starts the server, and is served by it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "proxy", "serve", "--data", str(tmp_path / "data")]
    command = [
        "systemd-socket-activate",
        f"--listen=127.0.0.1:{port}",
        "--fdname=postgres",
        f"--setenv=PYTHONPATH={ROOT}",
        *serve,
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as activator:
        assert activator.stderr is not None
        assert activator.stdout is not None
        assert f"Listening on 127.0.0.1:{port}" in activator.stderr.readline()
        with Client(Address("127.0.0.1", port)) as client:
            assert client.status == "I"
        assert f"postgres://127.0.0.1:{port}/postgres" in activator.stdout.readline()
        os.kill(activator.pid, signal.SIGTERM)  # it has become the server
        assert activator.wait(20) == 0
