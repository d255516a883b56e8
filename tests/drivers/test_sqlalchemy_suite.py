"""SQLAlchemy's own compliance suite for dialects, on psycopg and asyncpg: 1,800 tests of types, SQL and reflection.

It brings its own pytest plugin, so it runs as a process of its own, in sqlalchemy_suite/.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import psycopg
import pytest

from tests.harness.client import Address

pytestmark = [pytest.mark.drivers, pytest.mark.suite]

SUITE = Path(__file__).parent / "sqlalchemy_suite"
LIMIT = 900
_BACKEND = re.compile(r"_postgresql\+\w+$")  # of a class's name, after the server's version was taken off


def known_failures(driver: str) -> set[str]:
    lines = (SUITE / "known_failures.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {test for name, test, _reason in entries if name == driver}


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_compliance(driver: str, database: Address, tmp_path: Path) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA test_schema")  # the suite expects it
    url = f"postgresql+{driver}://{database.user}@{database.host}:{database.port}/{database.database}"
    results = tmp_path / "results.xml"
    command = [sys.executable, "-m", "pytest", "-c", "setup.cfg", "--dburi", url, "-q", "--junitxml", str(results), "suite.py"]
    environment = {**os.environ, "PYTHONPATH": str(SUITE), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=SUITE, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert results.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    passed, failed = outcomes(results)
    assert failed == known_failures(driver), done.stdout[-20000:]
    assert len(passed) > 1800


def outcomes(results: Path) -> tuple[set[str], set[str]]:
    """The tests that passed, and those that failed, by names without the server's."""
    passed, failed = set(), set()
    for case in ET.parse(results).getroot().iter("testcase"):
        class_name = _BACKEND.sub("", case.get("classname", "").split(".")[-1].rstrip("_0123456789").removesuffix("_async"))
        name = f"{class_name}::{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(name)
        elif case.find("skipped") is None:
            passed.add(name)
    return passed, failed
