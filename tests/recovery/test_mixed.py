"""Many processes, one database: operations of all kinds end without an error that PostgreSQL would not have given.

LITEPHANT_OPERATIONS says how many operations each process carries out; 1,000 is the size that the design asks for.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.harness.client import Address
from tests.harness.databases import execute
from tests.recovery import worker

pytestmark = pytest.mark.drivers

ROOT: Final = Path(__file__).parents[2]
PROCESSES: Final = 16
OPERATIONS: Final = os.environ.get("LITEPHANT_OPERATIONS", "100")

FOUND: Final = {
    "events": "SELECT count(*) FROM events",
    "counted": "SELECT coalesce(sum(value), 0) FROM counters",
    "jobs": "SELECT count(*) FROM results JOIN jobs ON jobs.id = job WHERE state = 'done'",
}


def test_sixteen_processes(database: Address) -> None:
    execute(database, worker.SETUP)
    commands = [
        [sys.executable, "-m", "tests.recovery.worker", database.dsn, str(number), OPERATIONS] for number in range(PROCESSES)
    ]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    processes = [subprocess.Popen(command, **pipes) for command in commands]
    done: Counter[str] = Counter()
    failures = []
    for process in processes:
        output, complaints = process.communicate()
        if process.returncode:
            failures.append(complaints)
        else:
            done.update(json.loads(output))
    assert not failures, "\n".join(failures)
    with psycopg.connect(database.dsn) as connection:
        found = {name: connection.execute(sql).fetchone() for name, sql in FOUND.items()}
        assert found == {name: (done[name],) for name in FOUND}
        assert connection.execute("SELECT count(*) FROM results").fetchone() == (done["jobs"],)
        total = connection.execute("SELECT sum(balance) FROM accounts").fetchone()
        assert total == (worker.ACCOUNTS * worker.BALANCE,)
