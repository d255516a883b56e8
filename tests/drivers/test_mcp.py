"""The MCP server as hosts start it: `astro mcp` as a process, and /mcp of the server; with the SDK's client and npm's."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.clients.transcript import Home
from tests.harness.client import Address
from tests.harness.client import Client as Session
from tests.harness.server import ROOT, process

_LIMIT = 180.0
_NODE = Path(__file__).parent / "node"

pytestmark = [pytest.mark.drivers, pytest.mark.slow]


class Running(NamedTuple):
    address: Address
    url: str


@contextmanager
def running(directory: Path) -> Iterator[Running]:
    with process(directory, "--http", "127.0.0.1:0", "--mcp-tools", "all", "--mcp-database", "postgres") as address:
        yield Running(address, f"{address.http}/mcp")


def stdio(server: Running, agent: str) -> Any:
    return astro("--agent", agent, "--port", str(server.address.port), "--database", "postgres")


def astro(*options: str) -> Any:
    """`astro mcp` as a process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["-m", "clients.cli", "mcp", "--host", "127.0.0.1", *options]
    return stdio_client(StdioServerParameters(command=sys.executable, args=command, env=environment))


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content[0].text
    return json.loads(answer.content[0].text)


def test_the_snippet_of_setup(tmp_path):
    """What `astro setup` writes is what a host starts."""
    home = Home(tmp_path, 1)
    assert home.astro("setup", "claude", "--write")[2] == 0
    written = json.loads((tmp_path / ".mcp.json").read_text())["mcpServers"]["astro"]
    environment = home.environment(PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    async def scenario() -> None:
        async with Client(stdio_client(StdioServerParameters(**written, env=environment, cwd=tmp_path))) as client:
            await call(client, "addTasks", tasks=[{"title": "by the snippet"}])

    asyncio.run(asyncio.wait_for(scenario(), _LIMIT))
    assert home.astro("list", "-q")[0] == "TASK-1\n"


def test_over_http_and_over_standard_input(tmp_path):
    async def scenario(server: Running) -> None:
        async with Client(server.url) as http, Client(stdio(server, "stdio")) as piped:
            assert {tool.name for tool in (await piped.list_tools()).tools} < {
                tool.name for tool in (await http.list_tools()).tools
            }
            await call(http, "addTasks", tasks=[{"title": "one"}])
            claimed = await call(piped, "claimTask")
            assert (claimed["claim"]["taskId"], claimed["claim"]["agent"]) == ("TASK-1", "stdio")
            assert (await call(http, "execute_sql", sql="SELECT status FROM tasks WHERE id = 'TASK-1'"))["rows"] == [
                ["in-progress"]
            ]

    with running(tmp_path) as server:
        asyncio.run(asyncio.wait_for(scenario(server), _LIMIT))


def test_without_a_server_the_files_are_opened(tmp_path):
    """And the server is found by the next call when there is one, in the same files."""

    async def scenario() -> None:
        options = ("--database", "tasks", "--data", str(tmp_path))
        async with Client(astro("--port", "1", *options)) as client:
            await call(client, "addTasks", tasks=[{"title": "one"}])
            with process(tmp_path) as address:
                async with Client(astro("--port", str(address.port), *options)) as other:
                    assert (await call(other, "claimTask", agent="x"))["claim"]["taskId"] == "TASK-1"
            assert (await call(client, "getTask", taskId="TASK-1"))["task"]["status"] == "in-progress"

    asyncio.run(asyncio.wait_for(scenario(), _LIMIT))


def test_agents_and_plain_clients_at_once(tmp_path):
    """Four agents over both transports, and sessions of PostgreSQL's protocol: each task is done once, nothing is lost."""
    count = 24

    async def agent(transport: Any, name: str) -> list[str]:
        done: list[str] = []
        async with Client(transport) as client:
            while (claimed := await call(client, "claimTask", agent=name))["claim"] is not None:
                task_id = claimed["claim"]["taskId"]
                await call(client, "addTaskContext", taskId=task_id, title=name, description="done")
                await call(client, "updateStatus", taskId=task_id, status="done", agent=name)
                done.append(task_id)
        return done

    def plain(server: Running, number: int) -> None:
        with Session(server.address) as session:
            from proxy.wire.backend import ErrorResponse, ReadyForQuery
            from proxy.wire.frontend import Query

            for turn in range(20):
                session.send(Query(f"INSERT INTO tasks (id, title, status) VALUES ('X-{number}-{turn}', 'x', 'done')"))
                assert not any(isinstance(each, ErrorResponse) for each in session.receive_until(ReadyForQuery))

    async def scenario(server: Running) -> None:
        async with Client(server.url) as client:
            await call(client, "addTasks", tasks=[{"title": str(number)} for number in range(count)])
        agents = [agent(server.url if number % 2 else stdio(server, "-"), f"agent {number}") for number in range(4)]
        plains = [asyncio.to_thread(plain, server, number) for number in range(3)]
        *done, _, _, _ = await asyncio.gather(*agents, *plains)
        ids = [task_id for each in done for task_id in each]
        assert sorted(ids) == sorted(f"TASK-{number}" for number in range(1, count + 1))
        async with Client(server.url) as client:
            assert (await call(client, "listTasks", statuses=["done"]))["total"] == count + 60
            notes = await call(client, "execute_sql", sql="SELECT count(*), count(DISTINCT task_id) FROM context_slices")
            assert notes["rows"] == [[count, count]]

    with running(tmp_path) as server:
        asyncio.run(asyncio.wait_for(scenario(server), _LIMIT))


@pytest.mark.node
def test_the_sdk_of_npm(tmp_path):
    with running(tmp_path) as server:
        done = subprocess.run(
            ["node", "mcp_client.mjs", server.url], cwd=_NODE, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "tools": 15,
            "added": "TASK-1",
            "next": "TASK-1",
            "refused": True,
            "board": 1,
        }
