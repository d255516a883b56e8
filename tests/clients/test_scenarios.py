"""The command `astro` with a server, without one, and with files that somebody else holds; each command a process."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.clients.transcript import LIMIT, Home
from tests.harness.oracle import binaries
from tests.harness.server import process

pytestmark = pytest.mark.drivers

# What `astro list` has no need of: the server, another driver, what only a terminal wants.
HEAVY = {"asyncio", "rich", "sqlglot", "pglast", "apsw", "psycopg", "asyncpg", "mcp", "translator", "tomllib", "proxy.session"}


@contextmanager
def served(tmp_path: Path) -> Iterator[Home]:
    (tmp_path / "data").mkdir(exist_ok=True)
    with process(tmp_path / "data") as address:
        yield Home(tmp_path, address.port)


def test_one_after_the_other_from_the_readme(tmp_path: Path) -> None:
    """`make serve`, add, list, show from two terminals at once; then without the server."""
    with served(tmp_path) as home:
        assert home.astro("add-task", "New feature")[0] == "added TASK-1 - New feature (medium: 50)\n"
        with ThreadPoolExecutor(2) as terminals:
            listing, showing = terminals.submit(home.astro, "list"), terminals.submit(home.astro, "show", "TASK-1")
        out, err, status = listing.result()
        assert (out.split("\t")[:4], status) == (["TASK-1", "pending", "medium", "New feature"], 0)
        assert err == f"connected to postgres://127.0.0.1:{home.port}/astrotask\n"
        assert showing.result()[0].startswith("○ TASK-1  New feature\n")
    out, err, status = home.astro("list", ASTRO_DATA="")
    assert (out.split("\t")[:4], status) == (["TASK-1", "pending", "medium", "New feature"], 0)
    assert err == f"warning: no server at 127.0.0.1:{home.port}: opened {tmp_path / 'data'} directly\n"


def test_a_server_can_be_required(tmp_path: Path) -> None:
    home = Home(tmp_path, 1)
    for option in ("--require-server", "--require-mcp"):
        out, err, status = home.astro("list", option)
        assert (out, status) == ("", 6)
        assert err.startswith("error: no server answers at 127.0.0.1:1\n")
        assert "astro up" in err


def test_a_server_that_listens_elsewhere_is_found(tmp_path: Path) -> None:
    with served(tmp_path) as home:
        elsewhere = Home(tmp_path, 1)
        assert elsewhere.astro("add-task", "found")[2] == 0
        assert elsewhere.astro("list")[1] == f"connected to postgres://127.0.0.1:{home.port}/astrotask\n"


def test_a_server_that_hangs_is_named_with_the_three_options(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with process(tmp_path / "data") as address:
        home = Home(tmp_path, address.port)
        assert home.astro("add-task", "one")[2] == 0
        os.kill(address.pid, signal.SIGSTOP)
        try:
            out, err, status = home.astro("list", "--socket-timeout=100")
            assert (out, status) == ("", 75)
            assert f"Process {address.pid} on " in err
            assert [line[:2] for line in re.findall(r"\d\. .*", err)] == ["1.", "2.", "3."]
            for option in ("--direct", "--force"):
                assert home.astro("list", "-q", option, "--socket-timeout=100")[::2] == ("TASK-1\n", 0)
        finally:
            os.kill(address.pid, signal.SIGCONT)
        assert home.astro("list", "-q")[0] == "TASK-1\n"


def test_a_file_that_another_program_locks(tmp_path: Path) -> None:
    home = Home(tmp_path, 1)
    assert home.astro("add-task", "one")[2] == 0
    with closing(sqlite3.connect(tmp_path / "data" / "astrotask.db", isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("CREATE TABLE held (a)")
        out, err, status = home.astro("list", "--force")
    assert (out, status) == ("", 75)
    assert f"Process {os.getpid()} (" in err
    assert [line[:2] for line in re.findall(r"\d\. .*", err)] == ["1.", "2.", "3."]
    assert home.astro("list", "-q")[0] == "TASK-1\n"


def test_up_ping_status_doctor(tmp_path: Path) -> None:
    with served(tmp_path) as free:
        port = free.port
    home = Home(tmp_path, port)
    assert home.astro("ping") == (f"127.0.0.1:{port} - no response\n", "", 2)
    out, _, status = home.astro("up", "--json")
    assert status == 0
    server = json.loads(out)["data"]["pid"]
    try:
        assert home.astro("ping") == (f"127.0.0.1:{port} - accepting connections\n", "", 0)
        assert home.astro("up")[1] == f"a server answers at 127.0.0.1:{port} already\n"
        assert home.astro("init", "--prefix", "BUG")[2] == 0
        assert home.astro("add", "one", "-q")[0] == "BUG-1\n"
        assert json.loads(home.astro("status", "--json")[0])["data"]["tasks"] == {"pending": 1}
        home.astro("sql", "UPDATE tasks SET parent_id = NULL")
        assert home.astro("doctor")[2] == 1
        assert "mended: 1 tasks without a parent" in home.astro("doctor", "--fix")[0]
        assert home.astro("doctor")[2] == 0
    finally:
        os.kill(server, signal.SIGTERM)


def test_watch_shows_changes_and_survives_the_server(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with process(tmp_path / "data") as address:
        home = Home(tmp_path, address.port)
        home.astro("init")
        command = [sys.executable, "-m", "clients.cli", "watch", "--json", "--count", "2"]
        environment = home.environment(PYTHONUNBUFFERED="1")
        watching = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert watching.stdout is not None
        _wait_for_listener(home)
        home.astro("add", "one")
        assert json.loads(watching.stdout.readline())["after"]["title"] == "one"
    with process(tmp_path / "data", "--port", str(home.port)):
        home.astro("add", "two")
        assert json.loads(watching.stdout.readline())["after"]["title"] == "two"
    assert watching.wait(LIMIT) == 0
    watching.stdout.close()


def test_what_is_wider_than_a_terminal(tmp_path: Path) -> None:
    home = Home(tmp_path, 1)
    terminal = {"FORCE_COLOR": "1", "COLUMNS": "80"}
    title = "a title that goes on and on until it does not fit any terminal of eighty columns at all"
    home.astro("add", title, "--tag", "ui")
    lines = _plain(home.astro("log", **terminal)[0]).splitlines()
    assert lines[1].split() == ["batch", "at", "agent", "operation", "task", "what"]
    assert max(map(len, lines)) <= 80
    records = _plain(home.astro("sql", "SELECT * FROM tasks WHERE id = 'TASK-1'", **terminal)[0])
    assert f"\ntitle           {title}\n" in records
    assert _plain(home.astro("sql", "SELECT id FROM astro.tasks", **terminal)[0]).split() == ["id", "──────", "TASK-1"]


def _plain(text: str) -> str:
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def test_up_ends_by_itself(tmp_path: Path) -> None:
    with served(tmp_path) as free:
        port = free.port
    home = Home(tmp_path, port)
    home.astro("up", "--idle-exit", "1s")
    end = time.monotonic() + LIMIT
    while home.astro("ping")[2] != 2:  # each is a connection
        assert time.monotonic() < end
        time.sleep(2)


def test_psql_is_opened_on_the_database(tmp_path: Path) -> None:
    with served(tmp_path) as home:
        path = f"{binaries()}:{os.environ['PATH']}"
        assert home.astro("psql", "-At", "-c", "SELECT current_database(), 1", PATH=path) == (
            "astrotask|1\n",
            _connected(home),
            0,
        )
    out, err, status = home.astro("psql", PATH=path)
    assert (out, status) == ("", 6)
    assert "error: psql needs a server, and none answers" in err
    assert "error: psql is not installed" in home.astro("psql", PATH="/nonexistent")[1]


def _connected(home: Home) -> str:
    return f"connected to postgres://127.0.0.1:{home.port}/astrotask\n"


def test_a_server_notifies_of_changes_made_beside_it(tmp_path: Path) -> None:
    with served(tmp_path) as home:
        home.astro("init")
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{home.port}/astrotask", autocommit=True) as listener:
            listener.execute("LISTEN astro")
            assert home.astro("add", "one", "--direct")[2] == 0
            [notification] = listener.notifies(timeout=LIMIT, stop_after=1)
    assert notification.channel == "astro"
    assert int(notification.payload) > 0


def _wait_for_listener(home: Home) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'astro' AND query LIKE 'LISTEN%' OR query LIKE '%astro.changes WHERE id >%'"
    end = time.monotonic() + LIMIT
    while home.astro("sql", query, "--csv")[0] == "count\n0\n":
        assert time.monotonic() < end


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tasks.md", "# Plan\n\n- [x] first\n- [ ] second\n  - third\n"),
        ("tasks.csv", "title,id,parent_id,status,priority\nfirst,A,,done,high\nsecond,B,,,50\nthird,C,B,pending,low\n"),
        ("tasks.json", '[{"title":"first","status":"done"},{"title":"second","id":"B"},{"title":"third","parent_id":"B"}]'),
    ],
)
def test_import(tmp_path: Path, name: str, content: str) -> None:
    home = Home(tmp_path, 1)
    (tmp_path / name).write_text(content)
    assert home.astro("import", name)[0] == "added 3 of 3 tasks\n"
    assert home.astro("export", "--md")[0] in {
        "- [x] first\n- [ ] second\n  - [ ] third\n",
        "- [ ] second\n  - [ ] third\n- [x] first\n",
    }


def test_import_of_astrotasks_own_file(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as old, old:
        old.execute("CREATE TABLE tasks (id, parent_id, title, description, status, priority_score, prd)")
        old.execute("CREATE TABLE task_dependencies (id, dependent_task_id, dependency_task_id)")
        old.execute("CREATE TABLE context_slices (id, title, description, context_type, task_id)")
        root = "__PROJECT_ROOT__"
        rows = [(root, None, "root", "done"), ("ABCD-EFGH", "ABCD", "child", "pending"), ("ABCD", root, "parent", "pending")]
        old.executemany("INSERT INTO tasks (id, parent_id, title, status) VALUES (?, ?, ?, ?)", rows)
        old.execute("INSERT INTO tasks (id, parent_id, title, status) VALUES ('WXYZ', ?, 'other', 'pending')", (root,))
        old.execute("INSERT INTO task_dependencies VALUES ('x', 'WXYZ', 'ABCD')")
        old.execute("INSERT INTO context_slices VALUES ('y', 'note', 'text', 'general', 'ABCD')")
    home = Home(tmp_path, 1)
    assert home.astro("import", "old.db")[0] == "added 3 of 3 tasks\n"
    detail = json.loads(home.astro("show", "ABCD", "--json")[0])["data"]
    assert [task["id"] for task in detail["children"] + detail["dependents"]] == ["ABCD-EFGH", "WXYZ"]
    assert [note["title"] for note in detail["context"]] == ["note"]


def test_list_imports_nothing_heavy(tmp_path: Path) -> None:
    with served(tmp_path) as home:
        home.astro("init")
        program = "import sys; from clients.cli.main import run; run(['list']); print(*sys.modules)"
        command = [sys.executable, "-c", program]
        done = subprocess.run(
            command, env=home.environment(), cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=True
        )
    assert HEAVY & set(done.stdout.split()) == set()
    assert "clients.postgres.connection" in done.stdout.split()


def test_help_and_completion_list_every_command(tmp_path: Path) -> None:
    from clients.cli.main import _COMMANDS, astro

    home = Home(tmp_path, 1)
    for name in _COMMANDS:
        command = astro.get_command(None, name)
        assert command is not None
        assert command.help
    assert all(name in home.astro("--help")[0] for name in ("add-task", "claim", "doctor"))
    with served(tmp_path) as home:
        home.astro("add", "complete me")
        found = home.astro(given="", _ASTRO_COMPLETE="bash_complete", COMP_WORDS="astro show ", COMP_CWORD="2")[0]
    assert "TASK-1" in found
