"""The command `astro`: a process for each `astro list`, most of which is Python's start and the imports."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.targets import Target
from bench.workload import Measured, speed


def _astro(target: Target, *arguments: str) -> None:
    environment = {**os.environ, "ASTRO_PORT": str(target.port), "ASTRO_DATABASE": "postgres", "ASTRO_MODE": "server"}
    environment["ASTRO_SOCKET_TIMEOUT"] = "5000"
    command = [sys.executable, "-m", "clients.cli", *arguments]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=60)


def add(target: Target) -> None:
    for number in range(20):
        _astro(target, "add-task", f"task {number}")


def list_(target: Target, seconds: float) -> Measured:
    count = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        _astro(target, "list")
        count += 1
    return speed(count, time.perf_counter() - started)
