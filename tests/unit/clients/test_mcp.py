"""The MCP server over the SDK's own client, in one process with the server of the database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from clients.mcp import catalog
from clients.mcp.database import Database
from clients.mcp.server import PROFILES, Options, build, profiles
from clients.mcp.sql_tools import Limits
from clients.postgres.asynchronous import AsyncConnection
from proxy.server import Server
from proxy.session.instance import open_instance

_LIMIT = 120.0
# Tokenizers of today's models make a token of 3.6 to 4.2 characters of such JSON; none can be had without a download.
_CHARACTERS_A_TOKEN = 3.5
_BUDGETS = {"tasks": 2_500, "sql": 1_500}

Scenario = Callable[["Agent"], Awaitable[None]]


class Agent:
    """A client of the server, and a connection to the database behind it."""

    def __init__(self, client: Client, connection: AsyncConnection) -> None:
        self.client = client
        self.execute = connection.execute

    async def text(self, tool: str, **arguments: Any) -> str:
        answer = await self.client.call_tool(tool, arguments)
        assert not answer.is_error, answer.content[0].text
        return answer.content[0].text

    async def call(self, tool: str, **arguments: Any) -> Any:
        return json.loads(await self.text(tool, **arguments))

    async def refused(self, tool: str, **arguments: Any) -> str:
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error, answer.content[0].text
        return answer.content[0].text


def run(
    path: Path,
    scenario: Scenario,
    *,
    tools: tuple[str, ...] = ("tasks",),
    limits: Limits | None = None,
    name: str = "postgres",
) -> None:
    async def main() -> None:
        server = Server(open_instance(path / "data"))

        async def dial() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return server.open_streams()

        database = Database(dial, name)
        connection = await AsyncConnection.open(server.open_streams(), user="postgres", database="postgres")
        try:
            async with Client(build(Options(database, tools, limits or Limits()))) as client:
                await scenario(Agent(client, connection))
        finally:
            connection.close()
            await server.close()

    asyncio.run(asyncio.wait_for(main(), _LIMIT))


# Profiles


def test_profiles_have_the_tools_that_they_promise():
    assert profiles(["all"]) == PROFILES
    assert profiles([" sql", ""]) == ("sql",)
    with pytest.raises(ValueError, match="no such tools: x; there are tasks, sql and all"):
        profiles(["x"])


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_costs_few_tokens(profile):
    async def nowhere() -> Any:
        raise OSError

    tools = asyncio.run(build(Options(Database(nowhere, "x"), (profile,))).list_tools())
    text = json.dumps([tool.model_dump(by_alias=True, exclude_none=True) for tool in tools])
    assert len(text) / _CHARACTERS_A_TOKEN <= _BUDGETS[profile]


# SQL

ATTACKS = [
    "COMMIT; DROP TABLE t",
    "DROP TABLE t",
    "INSERT INTO t VALUES (2)",
    "WITH w AS (DELETE FROM t RETURNING *) SELECT * FROM w",
    "WITH w AS (INSERT INTO t VALUES (7) RETURNING *) SELECT * FROM w",
    "EXPLAIN ANALYZE DELETE FROM t",
    "CREATE TABLE u AS SELECT 1",
    "SELECT 1 INTO u",
    "SELECT writes()",
    "SELECT nextval('s')",
    "SELECT setval('s', 9)",
    "SELECT pg_notify('c', 'x')",
    "NOTIFY c",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT * FROM t FOR UPDATE",
    "ATTACH DATABASE 'x.db' AS x",
    "PRAGMA writable_schema = 1",
    "PRAGMA query_only = 0",
    "SELECT load_extension('x')",
    "SELECT writefile('x', 'y')",
    "VACUUM INTO 'x.db'",
    "COPY t FROM '/etc/passwd'",
    "COPY t TO '/tmp/litephant-stolen'",
    "COPY t TO PROGRAM 'cat > /tmp/litephant-stolen'",
    "COPY t FROM STDIN",
    "COPY t TO STDOUT",
    "CREATE DATABASE x",
    "DROP DATABASE postgres",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "DO $$BEGIN DELETE FROM t; END$$",
    "BEGIN READ WRITE",
    "SET TRANSACTION READ WRITE",
    "SET litephant.access_mode = 'read-write'",
    "SET litephant.fixed_parameters = ''",
    "SET statement_timeout = 0",
    "SET SESSION statement_timeout TO DEFAULT",
    "RESET statement_timeout",
    "SELECT set_config('statement_timeout', '0', false), set_config('litephant.access_mode', 'read-write', false)",
    "PREPARE p AS DELETE FROM t; EXECUTE p",
]

# Let through, since they do nothing: the next call is another session.
HARMLESS = [
    "SET default_transaction_read_only = off",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "COMMIT",
    "RESET ALL",
    "DISCARD ALL",
    "BEGIN",
    "PREPARE p AS DELETE FROM t",
]

SCHEMA = (
    "CREATE TABLE t (a int)",
    "INSERT INTO t VALUES (1)",
    "CREATE SEQUENCE s",
    "CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (3) RETURNING a'",
)


async def state(agent: Agent) -> list[tuple[Any, ...]]:
    sql = "SELECT (SELECT array_agg(a) FROM t), (SELECT is_called FROM s), (SELECT count(*) FROM pg_class), count(*) FROM pg_database"
    return (await agent.execute(sql)).rows


@pytest.mark.parametrize("dry_run", [False, True])
def test_attacks_change_nothing(tmp_path, dry_run):
    async def scenario(agent: Agent) -> None:
        for sql in SCHEMA:
            await agent.execute(sql)
        before = await state(agent)
        for sql in (*ATTACKS, *HARMLESS):
            answer = await agent.client.call_tool("execute_sql", {"sql": sql, "dry_run": dry_run})
            assert await state(agent) == before or (dry_run and "nextval" in sql), sql
            before = await state(agent)
            if not dry_run:
                assert answer.is_error == (sql in ATTACKS), (sql, answer.content[0].text)
        assert "25006" in await agent.refused("execute_sql", sql="DELETE FROM t")

    run(tmp_path, scenario, tools=("sql",))
    assert not Path("/tmp/litephant-stolen").exists()


def test_results_are_bounded_and_say_so(tmp_path):
    async def scenario(agent: Agent) -> None:
        async def rows(sql: str, **arguments: Any) -> tuple[int, bool]:
            answer = await agent.call("execute_sql", sql=sql, **arguments)
            return len(answer["rows"]), answer["truncated"]

        assert await rows("SELECT generate_series(1, 9)") == (9, False)
        assert await rows("SELECT generate_series(1, 10)") == (10, False)
        assert await rows("SELECT generate_series(1, 11)") == (10, True)
        assert await rows("SELECT generate_series(1, 1000000000)") == (10, True)
        assert await rows("SELECT generate_series(1, 3)", max_rows=3) == (3, False)
        assert await rows("SELECT generate_series(1, 4)", max_rows=3) == (3, True)
        assert await rows("SELECT generate_series(1, 100)", max_rows=1_000_000) == (10, True)
        assert await rows("SELECT repeat('x', 400) FROM generate_series(1, 3)") == (2, True)
        assert await rows("SELECT repeat('x', 50000000)") == (0, True)

    run(tmp_path, scenario, tools=("sql",), limits=Limits(rows=10, size=1_000))


def test_a_statement_has_a_time_limit_that_it_cannot_move(tmp_path):
    async def scenario(agent: Agent) -> None:
        endless = "FROM generate_series(1, 10000000000) g"
        for sql in (
            "SELECT pg_sleep(60)",
            f"SELECT count(*) {endless}",
            f"SELECT set_config('statement_timeout', '0', false), count(*) {endless}",
        ):
            refusal = await agent.refused("execute_sql", sql=sql)
            assert "57014" in refusal or "55P02" in refusal, (sql, refusal)

    run(tmp_path, scenario, tools=("sql",), limits=Limits(timeout=200))


def test_values_come_as_json(tmp_path):
    async def scenario(agent: Agent) -> None:
        sql = "SELECT $1::int + 1 AS i, $2::text, NULL, true, 1.50, 'NaN'::float8, '-Infinity'::float4, $3::jsonb, DATE '2026-01-02'"
        found = await agent.call("execute_sql", sql=sql, params=[41, "é", {"a": [1]}])
        assert found["rows"] == [[42, "é", None, True, "1.50", "NaN", "-Infinity", {"a": [1]}, "2026-01-02"]]
        assert found["columns"][0] == "i"
        assert found["command"] == "SELECT 1"
        error = await agent.refused("execute_sql", sql="SELECT x FROM pg_class")
        assert error.endswith('ERROR 42703: column "x" does not exist\nPOSITION: character 8')

    run(tmp_path, scenario, tools=("sql",))


def test_a_dry_run_tells_and_undoes(tmp_path):
    async def scenario(agent: Agent) -> None:
        await agent.execute("CREATE TABLE t (a int)")
        await agent.execute("INSERT INTO t SELECT generate_series(1, 500)")
        found = await agent.call("execute_sql", sql="DELETE FROM t WHERE a > 100 RETURNING a", dry_run=True)
        assert (found["affected_rows"], len(found["rows"]), found["truncated"], found["dry_run"]) == (400, 200, True, True)
        assert "Actual Rows: 500" in await agent.text("explain_sql", sql="DELETE FROM t", analyze=True)
        assert (await agent.execute("SELECT count(*) FROM t")).rows == [(500,)]

    run(tmp_path, scenario, tools=("sql",))


def test_writes_are_let_through_on_demand(tmp_path):
    async def scenario(agent: Agent) -> None:
        assert (await agent.call("execute_sql", sql="CREATE TABLE t (a int)"))["command"] == "CREATE TABLE"
        written = await agent.call("execute_sql", sql="INSERT INTO t SELECT generate_series(1, 500) RETURNING a")
        assert (written["command"], len(written["rows"]), written["truncated"]) == ("INSERT 0 500", 200, True)
        assert (await agent.execute("SELECT count(*) FROM t")).rows == [(500,)]
        assert "55P02" in await agent.refused("execute_sql", sql="SET statement_timeout = 0")
        hints = {tool.name: tool.annotations for tool in (await agent.client.list_tools()).tools}
        assert hints["execute_sql"].destructive_hint
        assert hints["search_objects"].read_only_hint

    run(tmp_path, scenario, tools=("sql",), limits=Limits(writes=True))


def test_a_server_that_cannot_seal_a_session_runs_nothing(oracle_database):
    """PostgreSQL takes our parameters for ones of the user, which he may change."""

    async def main() -> None:
        async def dial() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await asyncio.open_connection(oracle_database.host, oracle_database.port)

        database = Database(dial, oracle_database.database, oracle_database.user)
        async with Client(build(Options(database, ("sql",)))) as client:
            answer = await client.call_tool("execute_sql", {"sql": "SELECT 1"})
            assert answer.is_error
            assert "cannot keep a session from writing" in answer.content[0].text

    asyncio.run(asyncio.wait_for(main(), _LIMIT))


@pytest.mark.parametrize("detail", ["names", "summary", "full"])
def test_objects_are_found(tmp_path, detail):
    async def scenario(agent: Agent) -> None:
        for sql in (
            "CREATE TABLE item (id int PRIMARY KEY, kind text NOT NULL DEFAULT 'x')",
            "CREATE VIEW items AS SELECT id FROM item",
            "CREATE SEQUENCE item_seq",
            "CREATE TYPE item_kind AS ENUM ('a', 'b')",
            "CREATE FUNCTION item_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM item'",
            "COMMENT ON TABLE item IS 'what is sold'",
        ):
            await agent.execute(sql)
        names = {}
        for kind in catalog._QUERIES:
            found = await agent.call("search_objects", type=kind, pattern="item%", detail=detail)
            names[kind] = [row[0] for row in found["rows"]]
            assert found["columns"][0] == "name"
        assert names == {
            "schema": [],
            "table": ["public.item"],
            "view": ["public.items"],
            "column": [],
            "index": ["public.item_pkey"],
            "sequence": ["public.item_seq"],
            "function": ["public.item_count"],
            "type": ["public.item_kind"],
        }
        found = await agent.call("search_objects", type="table", pattern="public.%", detail="full")
        if detail == "full":
            assert found["rows"][0][1:3] == [
                "id integer NOT NULL, kind text NOT NULL DEFAULT 'x'::text",
                "item_pkey PRIMARY KEY (id)",
            ]
        assert (await agent.call("search_objects", type="column", pattern="kind"))["rows"] == [["public.item.kind"]]
        report = await agent.call("health_check")
        assert report["database"]["rows"][0][0] == "postgres"
        assert set(report) == set(catalog.HEALTH)

    run(tmp_path, scenario, tools=("sql",))


# Tasks


def test_the_root_is_never_the_next_task_and_blockers_are_told(tmp_path):
    """Both are wrong in Astrotask's own server."""

    async def scenario(agent: Agent) -> None:
        assert (await agent.call("getNextTask"))["task"] is None
        tasks = [
            {"title": "design", "priorityScore": 60, "details": "see the wiki"},
            {"title": "build", "dependsOn": [0], "priorityScore": 90},
            {"title": "foundations", "parentIndex": 1},
        ]
        added = await agent.call("addTasks", tasks=tasks)
        assert added["message"] == "Successfully created 3 tasks with 1 dependencies"
        assert added["dependenciesCreated"] == [{"dependentTaskId": "TASK-2", "dependencyTaskId": "TASK-1"}]
        first = await agent.call("getNextTask")
        assert (first["task"]["id"], first["total"], first["task"]["prd"]) == ("TASK-1", 1, "see the wiki")
        assert [task["id"] for task in first["context"]["dependents"]] == ["TASK-2"]
        blocked = (await agent.call("getTask", taskId="TASK-3"))["context"]
        assert [task["id"] for task in blocked["ancestors"]] == ["TASK-2"]
        assert blocked["root"]["id"] == "TASK-2"
        context = (await agent.call("getTask", taskId="TASK-2"))["context"]
        assert context["isBlocked"]
        assert [task["id"] for task in context["blockedBy"]] == ["TASK-1"]
        assert [task["id"] for task in context["descendants"]] == ["TASK-3"]
        assert (await agent.call("getNextTask", priorityScore=70))["task"] is None
        assert "finish those first" in await agent.refused("updateStatus", taskId="TASK-2", status="in-progress")
        await agent.call("updateStatus", taskId="TASK-1", status="done")
        assert (await agent.call("getNextTask"))["task"]["id"] == "TASK-3"
        assert (await agent.call("getNextTask", parentTaskId="TASK-2"))["task"]["id"] == "TASK-3"

    run(tmp_path, scenario)


def test_a_claim_keeps_others_away(tmp_path):
    async def scenario(agent: Agent) -> None:
        await agent.call("addTasks", tasks=[{"title": "one"}, {"title": "two"}])
        mine = await agent.call("claimTask", agent="me", leaseSeconds=60)
        other = await agent.call("claimTask", agent="you")
        assert [each["claim"]["taskId"] for each in (mine, other)] == ["TASK-1", "TASK-2"]
        assert mine["task"]["claim"]["agent"] == "me"
        assert await agent.call("claimTask") == {"claim": None, "task": None, "message": "No task is ready"}
        assert "is claimed by me" in await agent.refused("claimTask", taskId="TASK-1", agent="you")
        assert "is claimed by me" in await agent.refused("updateStatus", taskId="TASK-1", status="done", agent="you")
        await agent.call("updateStatus", taskId="TASK-1", status="done", agent="me")
        assert "no longer holds" in await agent.refused("releaseTask", taskId="TASK-2", token=other["claim"]["token"] + 1)
        released = await agent.call("releaseTask", taskId="TASK-2", token=other["claim"]["token"])
        assert released["task"]["status"] == "pending"

    run(tmp_path, scenario)


def test_a_database_that_is_not_there(tmp_path):
    async def scenario(agent: Agent) -> None:
        refusal = await agent.refused("getNextTask")
        assert refusal.endswith('FATAL 3D000: database "none" does not exist; `astro init` makes it')

    run(tmp_path, scenario, name="none")


def test_the_other_tools(tmp_path):
    async def scenario(agent: Agent) -> None:
        await agent.call("addTasks", tasks=[{"title": "one"}, {"title": "two", "parentIndex": 0}, {"title": "three"}])
        note = await agent.call("addTaskContext", taskId="TASK-1", title="why", description="because of the moon")
        assert (note["contextSlice"]["contextType"], note["task"]["id"]) == ("general", "TASK-1")
        assert (await agent.call("searchTasks", text="MOON"))["tasks"][0]["id"] == "TASK-1"
        linked = await agent.call("addDependency", dependentTaskId="TASK-3", dependencyTaskId="TASK-1")
        assert linked["task"]["blockedBy"] == ["TASK-1"]
        assert "both would wait for ever" in await agent.refused(
            "addDependency", dependentTaskId="TASK-1", dependencyTaskId="TASK-3"
        )
        listed = await agent.call("listTasks", includeProjectRoot=True)
        assert [task["id"] for task in listed["tasks"]] == ["__PROJECT_ROOT__", "TASK-1", "TASK-2", "TASK-3"]
        assert (await agent.call("listTasks", parentId="TASK-1"))["total"] == 1
        assert (await agent.call("listTasks", statuses=["done"]))["total"] == 0
        done = await agent.call("updateStatus", taskId="TASK-1", status="done", cascade=True)
        assert done["cascadeCount"] == 1
        assert "similar: TASK-3" in await agent.refused("getTask", taskId="TSK-3")
        assert "use cascade" in await agent.refused("deleteTask", taskId="TASK-1")
        deleted = await agent.call("deleteTask", taskId="TASK-1", cascade=True)
        assert (deleted["deletedCount"], deleted["cascaded"]) == (2, True)
        assert "does not come before it" in await agent.refused("addTasks", tasks=[{"title": "x", "dependsOn": [0]}])
        assert (await agent.execute("SELECT count(*) FROM tasks")).rows == [(2,)]

    run(tmp_path, scenario)


async def until(agent: Agent, count: int) -> None:
    """Wait until so many sessions listen for changes."""
    sql = "SELECT FROM pg_stat_activity WHERE application_name = 'mcp changes'"
    while len((await agent.execute(sql)).rows) != count:
        pass


def test_resources_and_their_changes(tmp_path):
    async def scenario(agent: Agent) -> None:
        await agent.call("addTasks", tasks=[{"title": "one"}])
        board = json.loads((await agent.client.read_resource("astro://board")).contents[0].text)
        assert (board["counts"]["pending"], board["pending"][0]["id"]) == (1, "TASK-1")
        task = json.loads((await agent.client.read_resource("astro://task/TASK-1")).contents[0].text)
        assert task["task"]["title"] == "one"
        async with agent.client.listen(resource_subscriptions=["astro://board", "astro://task/TASK-1"]) as events:
            await until(agent, 1)
            heard = set()
            await agent.call("updateStatus", taskId="TASK-1", status="in-progress")
            async for event in events:
                heard.add(str(event.uri))
                if len(heard) == 2:
                    break
            assert heard == {"astro://board", "astro://task/TASK-1"}
        await until(agent, 0)

    run(tmp_path, scenario)
