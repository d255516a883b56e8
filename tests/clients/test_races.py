"""Many at once: claims that nobody shares, and our programs beside Astrotask's own on one database."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.postgres.connection import Connection
from clients.postgres.direct import DirectStream
from clients.tasks import claims, editing, history, listing, migrations
from clients.tasks.model import Actor, NewTask
from tests.clients.transcript import LIMIT, Home
from tests.harness.server import process
from tests.unit.clients.conftest import connect

pytestmark = pytest.mark.drivers

WORKERS = 16
TASKS = int(os.environ.get("ASTRO_RACE_TASKS", "160"))  # the full race has 1000
NODE = Path(__file__).parents[1] / "drivers" / "node"


def work(connection: Connection, name: str) -> list[str]:
    """Claim and finish tasks until none is ready; which they were."""
    me, finished = Actor(name), []
    with connection:
        while (claim := connection.run(claims.claim_next(me))) is not None:
            connection.run(editing.set_status(me, [claim.id], "done", token=claim.token))
            finished.append(claim.id)
    return finished


def test_every_task_is_claimed_once(tmp_path: Path) -> None:
    with process(tmp_path) as address, connect(address) as connection:
        connection.run(migrations.migrate())
        connection.run(editing.add(Actor("planner"), [NewTask(str(number)) for number in range(TASKS)]))
        with ThreadPoolExecutor(WORKERS) as pool:
            running = [pool.submit(work, connect(address), f"agent-{number}") for number in range(WORKERS - 1)]
            beside = Connection.open(DirectStream(tmp_path), user="astro", database="postgres")
            running.append(pool.submit(work, beside, "direct"))
            finished = [task_id for worker in running for task_id in worker.result()]
        assert len(finished) == len(set(finished)) == TASKS
        assert {task.status for task in connection.run(listing.list_tasks())} == {"done"}
        assert connection.execute("SELECT count(*), max(token) FROM astro.claims").rows == [(TASKS, 1)]
        changes = connection.run(history.since(0))
        assert [change.id for change in changes] == list(range(1, len(changes) + 1))
        assert len([change for change in changes if change.operation == "claim"]) == TASKS


@pytest.mark.node
@pytest.mark.parametrize("first", ["astro", "astrotask"])
def test_eight_processes_and_astrotask_on_one_database(tmp_path: Path, first: str) -> None:
    """Whoever makes the tables, nothing that either adds is lost, and each sees the other's."""
    (tmp_path / "data").mkdir()
    count = 5
    with process(tmp_path / "data") as address:
        home = Home(tmp_path, address.port)
        home.astro("sql", "SELECT 1", "--database", "postgres")
        dsn = f"postgresql://postgres@127.0.0.1:{address.port}/postgres"

        def astrotask(number: int) -> str:
            environment = {**os.environ, "DSN": dsn, "LOG_LEVEL": "fatal", "COUNT": str(count), "WORKER": f"npm{number}"}
            command = ["node", "astrotask_worker.mjs"]
            done = subprocess.run(command, cwd=NODE, env=environment, capture_output=True, text=True, timeout=LIMIT, check=True)
            return done.stdout

        def astro(number: int) -> list[int]:
            command = ("add-task", f"cli{number}", "--database", "postgres")
            return [home.astro(*command)[2] for _ in range(count)]

        if first == "astrotask":
            astrotask(0)
        with ThreadPoolExecutor(10) as pool:
            ours = [pool.submit(astro, number) for number in range(8)]
            theirs = [pool.submit(astrotask, number) for number in (1, 2)]
            assert [status for worker in ours for status in worker.result()] == [0] * 8 * count
            assert all('"errors":[]' in worker.result() for worker in theirs)
        titles = home.astro("list", "--database", "postgres", "--json", "--fields", "title")[0]
        assert titles.count('"cli') == 8 * count
        assert titles.count('"npm') == (3 if first == "astrotask" else 2) * count


def test_workers_are_processes_too(tmp_path: Path) -> None:
    """Processes that add at the same time, without a server: the files alone keep them apart."""
    home = Home(tmp_path, 1)
    home.astro("init")
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda number: home.astro("add", str(number), "-q")[0].strip(), range(4)))
    assert sorted(added) == [f"TASK-{number}" for number in range(1, 5)]
