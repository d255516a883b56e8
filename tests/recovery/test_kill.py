"""Kill the process that owns a cluster while it commits: nothing that it acknowledged may be missing, no half transaction there.

A killed process leaves the kernel's page cache, so this proves the order of commit and acknowledgement and recovery of the
WAL, not what a power failure does.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.storage.cluster import Cluster

ROOT = Path(__file__).parents[2]


def run_and_kill(path, acknowledgements):
    """Let the writer run until it has printed so many numbers, kill it, and give all that it has printed."""
    command = [sys.executable, "-m", "tests.recovery.writer", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        acknowledged = [int(process.stdout.readline()) for _ in range(acknowledgements)]
        process.kill()
        rest = process.stdout.read()
        process.wait(10)
        # The last line may be cut by the kill; a whole one ends with a line feed.
        return acknowledged + [int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.parametrize("acknowledgements", [1, 400])
def test_acknowledged_commits_survive(tmp_path, acknowledgements):
    acknowledged = []
    for _ in range(2):  # the second process recovers what the first left
        acknowledged += run_and_kill(tmp_path, acknowledgements)

    async def check():
        cluster = Cluster.open(tmp_path)
        reader = cluster.database("postgres").take_reader()
        assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        pairs = dict(reader.execute("SELECT number, count(*) FROM pair GROUP BY number"))
        cluster.close()
        return pairs

    pairs = asyncio.run(check())
    assert set(acknowledged) <= set(pairs)
    assert set(pairs.values()) == {2}
    assert len(set(acknowledged)) == len(acknowledged)
