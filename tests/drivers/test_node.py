"""Clients in Node: node-postgres, postgres.js, drizzle-orm, drizzle-kit, TypeORM, Sequelize, Knex, Kysely, and Astrotask as published.

Each program of node/ takes the database from $DSN, asserts, and prints a line of JSON that says what is left.
"""

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Address
from tests.harness.databases import fresh_database
from tests.harness.schema import schema_of

pytestmark = [pytest.mark.drivers, pytest.mark.node]

NODE = Path(__file__).parent / "node"
LIMIT = 120
_PUNCTUATION = re.compile(r"\W+")


def node(database: Address, *command: str, **environment: str) -> str:
    assert shutil.which("node"), "Node is not installed: make test-drivers installs it"
    assert (NODE / "node_modules").is_dir(), "the packages are not installed: make test-drivers installs them"
    variables = {**os.environ, "DSN": database.dsn, "LOG_LEVEL": "fatal", "NO_COLOR": "1", **environment}
    done = subprocess.run(command, cwd=NODE, env=variables, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def report(database: Address, program: str, **environment: str) -> Any:
    return json.loads(node(database, "node", program, **environment).splitlines()[-1])


def test_node_postgres(database: Address) -> None:
    assert report(database, "pg_client.mjs") == {"count": "42"}


def test_postgres_js(database: Address) -> None:
    assert report(database, "postgres_js.mjs") == {"count": 1006}


def test_drizzle_orm(database: Address) -> None:
    assert report(database, "drizzle_orm.mjs") == {"posts": 2}


def test_drizzle_kit_reads_the_schema(database: Address, oracle_database: Address, tmp_path: Path) -> None:
    schemas = []
    for number, address in enumerate((database, oracle_database)):
        report(address, "drizzle_orm.mjs")
        out = os.path.relpath(tmp_path / str(number), NODE)
        node(address, "npx", "drizzle-kit", "pull", "--dialect", "postgresql", "--url", address.dsn, "--out", out)
        schemas.append(_parts((tmp_path / str(number) / "schema.ts").read_text()))
    assert schemas[0] == schemas[1]


def _parts(schema: str) -> list[list[list[str]]]:
    """The lines of each table in schema.ts, in an order of their own: drizzle-kit asks for tables and columns without ORDER BY."""
    tables = schema.split("export const")
    return sorted(sorted(sorted(line.split()) for line in _PUNCTUATION.sub(" ", table).splitlines()) for table in tables)


def test_drizzle_kit_pushes_every_type_once(database: Address, oracle_database: Address) -> None:
    for address in (database, oracle_database):
        for outcome in ("Changes applied", "No changes detected"):
            command = ("npx", "drizzle-kit", "push", "--config", "drizzle.columns.ts", "--force")
            assert outcome in node(address, *command, OUT="unused")
    assert schema_of(database) == schema_of(oracle_database)


def test_drizzle_kit_generates_checks_and_migrates(database: Address, oracle_database: Address, tmp_path: Path) -> None:
    out = os.path.relpath(tmp_path, NODE)
    for command in ("generate", "check"):
        node(database, "npx", "drizzle-kit", command, "--config", "drizzle.columns.ts", OUT=out)
    for address in (database, oracle_database):
        for _ in range(2):
            node(address, "npx", "drizzle-kit", "migrate", "--config", "drizzle.columns.ts", OUT=out)
    assert schema_of(database) == schema_of(oracle_database)


@pytest.mark.parametrize("program", ["typeorm_sync.mjs", "sequelize_sync.mjs", "knex_migrations.mjs"])
def test_schema_tools(program: str, database: Address, oracle_database: Address) -> None:
    """Each makes its tables, changes them, finds nothing more to do, and reports what it reads of them."""
    assert report(database, program) == report(oracle_database, program)
    assert schema_of(database) == schema_of(oracle_database)


def test_astrotask(database: Address) -> None:
    assert report(database, "astrotask.mjs") == {"titles": ["First", "Inside", "Parent"]}


def test_sixteen_astrotask_processes_at_once(driver_server: Address) -> None:
    """1,600 tasks of 1,600: nobody is told that the database is locked."""
    with fresh_database(driver_server) as database, ThreadPoolExecutor(16) as pool:
        report(database, "astrotask_worker.mjs", COUNT="0", WORKER="setup")
        workers = [pool.submit(report, database, "astrotask_worker.mjs", COUNT="100", WORKER=str(n)) for n in range(16)]
        reports = [worker.result() for worker in workers]
        assert [error for found in reports for error in found["errors"]] == []
        assert sum(found["added"] for found in reports) == 1600
        counted = report(database, "count.mjs")
        assert counted == {"tasks": 1600}
