"""Many at once: claims that nobody shares, and our programs beside Astrotask's own on one database."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from clients.postgres.connection import Connection
from clients.postgres.direct import DirectStream
from clients.tasks import claims, editing, history, listing, migrations
from clients.tasks.model import Actor, NewTask
from tests.clients.transcript import LIMIT, Home
from tests.harness.client import Address
from tests.harness.server import process
from tests.unit.clients.conftest import connect

pytestmark = pytest.mark.drivers

WORKERS = 16
TASKS = int(os.environ.get("ASTRO_RACE_TASKS", "160"))  # the full race has 1000
COUNT = 5  # tasks that each of the others adds
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
def test_processes_agents_and_astrotask_on_one_database(tmp_path: Path, first: str) -> None:
    """Whoever makes the tables, nothing that anybody adds is lost: eight CLIs at a time, four agents, two of Astrotask's programs."""
    (tmp_path / "data").mkdir()
    with process(tmp_path / "data", "--http", "127.0.0.1:0", "--mcp-database", "postgres") as address:
        home = Home(tmp_path, address.port)
        if first == "astrotask":
            astrotask(address, 0)
        else:
            home.astro("init", "--database", "postgres")
        with ThreadPoolExecutor(11) as pool:
            ours = [pool.submit(add_by_cli, home, number) for number in range(8)]
            theirs = [pool.submit(astrotask, address, number) for number in (1, 2)]
            agents = pool.submit(asyncio.run, add_by_mcp(home, f"{address.http}/mcp"))
            assert [status for worker in ours for status in worker.result()] == [0] * 8 * COUNT
            assert all('"errors":[]' in worker.result() for worker in theirs)
            agents.result()
        titles = home.astro("list", "--database", "postgres", "--json", "--fields", "title")[0]
        assert titles.count('"cli') == 8 * COUNT
        assert titles.count('"mcp') == 4 * COUNT
        assert titles.count('"npm') == (3 if first == "astrotask" else 2) * COUNT


def astrotask(address: Address, number: int) -> str:
    environment = {**os.environ, "DSN": address.dsn, "LOG_LEVEL": "fatal", "COUNT": str(COUNT), "WORKER": f"npm{number}"}
    command = ["node", "astrotask_worker.mjs"]
    done = subprocess.run(command, cwd=NODE, env=environment, capture_output=True, text=True, timeout=LIMIT, check=True)
    return done.stdout


def add_by_cli(home: Home, number: int) -> list[int]:
    return [home.astro("add-task", f"cli{number}", "--database", "postgres")[2] for _ in range(COUNT)]


async def add_by_mcp(home: Home, url: str) -> None:
    """Two agents over HTTP, and two with an MCP server of their own."""
    command = ["-m", "clients.cli", "mcp", "--database", "postgres"]
    own = StdioServerParameters(command=sys.executable, args=command, env=home.environment())

    async def add(number: int) -> None:
        async with Client(url if number % 2 else stdio_client(own)) as client:
            for _ in range(COUNT):
                answer = await client.call_tool("addTasks", {"tasks": [{"title": f"mcp{number}"}]})
                assert not answer.is_error, answer.content

    await asyncio.wait_for(asyncio.gather(*map(add, range(4))), 2 * LIMIT)


def test_workers_are_processes_too(tmp_path: Path) -> None:
    """Processes that add at the same time, without a server: the files alone keep them apart."""
    home = Home(tmp_path, 1)
    home.astro("init")
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda number: home.astro("add", str(number), "-q")[0].strip(), range(4)))
    assert sorted(added) == [f"TASK-{number}" for number in range(1, 5)]
