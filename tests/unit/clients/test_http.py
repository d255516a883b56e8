"""The HTTP port: health, metrics, and who may ask."""

import asyncio
import builtins
import json
import re
import sys
import urllib.request
from urllib.error import HTTPError

import pytest
from click.testing import CliRunner

from clients.http import application, serving
from proxy.monitoring import health
from proxy.server import Server
from proxy.session.instance import open_instance
from proxy.wire import backend, frontend

_LIMIT = 20.0


@pytest.fixture
def server(tmp_path, loop):
    server = Server(open_instance(tmp_path / "data"))
    loop.run_until_complete(server.start("127.0.0.1", 0))
    yield server
    loop.run_until_complete(asyncio.wait_for(server.close(), _LIMIT))


@pytest.fixture
def get(server, loop):
    """Ask the application over a socket: path and headers in, status and text out."""

    def ask(path: str, *, password: str | None = None, hosts: tuple[str, ...] = (), **headers: str) -> tuple[int, str]:
        async def scenario() -> tuple[int, str]:
            listening = serving.listen("127.0.0.1", 0)
            settings = application.Settings(password=password, hosts=hosts)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}{path}"
            async with serving.serving(application.build(server, settings), listening):
                return await asyncio.wait_for(asyncio.to_thread(_fetch, url, headers), _LIMIT)

        return loop.run_until_complete(scenario())

    return ask


def _fetch(url: str, headers: dict[str, str]) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=_LIMIT) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def query(server: Server, sql: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A session in which that has run."""
    reader, writer = server.open_streams()
    writer.write(frontend.StartupMessage(parameters={"user": "postgres"}).encode() + frontend.Query(sql).encode())
    for _ in range(2):
        while (head := await reader.readexactly(5))[:1] != backend.ReadyForQuery.TYPE:
            await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
        await reader.readexactly(1)
    return reader, writer


def test_a_well_server(get):
    assert get("/livez") == (200, "ok\n")
    status, text = get("/readyz")
    assert status == 200
    assert [line.split(":")[0] for line in text.splitlines()] == [
        "[+] accepting",
        "[+] connections",
        "[+] disk",
        "[+] writer postgres",
        "[+] wal postgres",
        "ready",
    ]
    status, text = get("/healthz")
    report = json.loads(text)
    assert (status, report["status"]) == (200, "ok")
    assert {check["name"] for check in report["checks"]} >= {"writer postgres", "wal postgres", "disk"}


def test_a_writer_that_does_not_come_back(server, get, loop, monkeypatch):
    monkeypatch.setattr(health, "WRITER_LIMIT", 0.05)
    _, writer = loop.run_until_complete(query(server, "BEGIN; CREATE TABLE t (a int)"))
    status, text = get("/readyz")
    assert status == 503
    assert "[-] writer postgres: canceling statement due to lock timeout" in text
    assert get("/livez")[0] == 200
    assert 'litephant_writer_held_seconds{datname="postgres"} 0.0' not in get("/metrics")[1]
    writer.close()
    assert get("/readyz")[0] == 200


@pytest.mark.parametrize(("limit", "value", "name"), [("WAL_LIMIT", -1, "wal postgres"), ("DISK_LIMIT", 1 << 80, "disk")])
def test_what_makes_it_unready(get, monkeypatch, limit, value, name):
    monkeypatch.setattr(health, limit, value)
    status, text = get("/healthz")
    assert status == 503
    assert [check["name"] for check in json.loads(text)["checks"] if not check["ok"]] == [name]


def samples(text: str) -> dict[str, float]:
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}


def test_metrics(server, get, loop):
    async def work() -> list:
        first = await query(server, "CREATE TABLE t (a int)")
        second = await query(server, "INSERT INTO t VALUES (1)")
        third = await query(server, "BEGIN; SELECT 1; ROLLBACK")
        return [first, second, third, await query(server, "BEGIN; LOCK TABLE t IN SHARE MODE")]

    sessions = loop.run_until_complete(work())
    found = samples(get("/metrics")[1])
    for _, writer in sessions:
        writer.close()
    assert found["pg_up"] == 1
    assert found['pg_stat_database_numbackends{datid="5",datname="postgres"}'] == 4
    assert found['pg_stat_activity_count{datname="postgres",state="idle"}'] == 3
    assert found['pg_stat_activity_count{datname="postgres",state="idle in transaction"}'] == 1
    assert found['pg_locks_count{datname="postgres",mode="sharelock"}'] == 1
    assert found['pg_locks_count{datname="postgres",mode="accessexclusivelock"}'] == 0
    assert found['pg_stat_database_xact_rollback{datid="5",datname="postgres"}'] == 1
    assert found['pg_stat_database_xact_commit{datid="5",datname="postgres"}'] >= 2
    assert found['pg_database_size_bytes{datname="postgres"}'] > 0
    assert found["pg_settings_max_connections"] == 500
    assert found["pg_settings_shared_buffers_bytes"] == 128 << 20
    assert found["pg_settings_statement_timeout_seconds"] == 0
    assert found["litephant_connections"] == 4
    assert found['litephant_write_transactions_total{datname="postgres"}'] == 2
    assert found['litephant_group_commit_size_count{datname="postgres"}'] >= 1
    assert found['litephant_group_commit_size_sum{datname="postgres"}'] == 2
    assert found['litephant_wal_bytes{datname="postgres"}'] > 0
    assert found['litephant_writer_queue_depth{datname="postgres"}'] == 0
    assert found['litephant_plan_cache_misses_total{datname="postgres"}'] >= 1
    assert found["process_open_fds"] > 0


def test_waits_for_the_writer_are_counted(server, get, loop):
    async def work() -> None:
        (reader, writer), (_, other) = (
            await query(server, "CREATE TABLE t (a int)"),
            await query(server, "BEGIN; CREATE TABLE u ()"),
        )
        writer.write(frontend.Query("INSERT INTO t VALUES (1)").encode())
        await asyncio.sleep(0.05)
        other.write(frontend.Query("COMMIT").encode())
        assert (await reader.readexactly(1)) == b"C"
        other.close()
        writer.close()

    loop.run_until_complete(work())
    found = samples(get("/metrics")[1])
    assert found['litephant_writer_wait_seconds_count{datname="postgres"}'] == 1
    assert found['litephant_writer_wait_seconds_sum{datname="postgres"}'] > 0


def test_pg_stat_database_counts_too(server, loop):
    async def work() -> list[bytes]:
        _, one = await query(server, "SELECT 1")
        _, two = await query(server, "SELECT 1/0")
        reader, three = server.open_streams()
        three.write(frontend.StartupMessage(parameters={"user": "postgres"}).encode())
        sql = "SELECT xact_commit > 1, xact_rollback FROM pg_stat_database WHERE datname = 'postgres'"
        three.write(frontend.Query(sql).encode())
        while (head := await reader.readexactly(5))[:1] != backend.DataRow.TYPE:
            await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
        row = backend.DataRow.decode(await reader.readexactly(int.from_bytes(head[1:], "big") - 4))
        for writer in (one, two, three):
            writer.close()
        return list(row.values)

    assert loop.run_until_complete(work()) == [b"t", b"1"]


def test_every_metric_is_well_formed(get):
    text = get("/metrics", Accept="application/openmetrics-text; version=1.0.0")[1]
    assert text.endswith("# EOF\n")
    names = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    assert len(names) == len(set(names)) > 100


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:45480"}, 200),
        ({"Host": "[::1]:45480"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "localhost@evil.example"}, 421),
        ({"Host": "[::1"}, 421),
        ({"Host": "mine.example"}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
    ],
)
def test_only_our_own_names_are_answered(get, headers, status):
    assert get("/livez", hosts=("Mine.Example",), **headers)[0] == status


def test_the_password_protects_what_reads_data(get):
    assert get("/livez", password="secret")[0] == 200
    assert get("/mcp", password="secret")[0] == 401
    assert get("/mcp", password="secret", Authorization="Bearer wrong")[0] == 401
    assert get("/mcp", password="secret", Authorization="Bearer secret")[0] != 401


def test_without_the_extra_the_command_says_what_to_install(tmp_path, monkeypatch):
    from proxy.cli import main

    imported = builtins.__import__

    def refuse(name: str, *args, **kwargs):
        if name.startswith("clients.http"):
            raise ImportError("No module named 'starlette'", name="starlette")
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    done = CliRunner().invoke(main, ["serve", "--data", str(tmp_path), "--http", "127.0.0.1:0"])
    assert done.exit_code == 1
    command = f"{sys.executable} -m pip install mcp prometheus-client"
    assert done.output == f"Error: --http needs packages that are not installed (starlette): {command}\n"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999"])
def test_a_wrong_address(tmp_path, address):
    from proxy.cli import main

    done = CliRunner().invoke(main, ["serve", "--data", str(tmp_path), "--http", address])
    assert done.exit_code == 2
    assert "must be HOST:PORT" in done.output
