"""Django: the migrations of its contrib apps and of a project, inspectdb, and the project's tests in Django's test runner."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Address

pytestmark = pytest.mark.drivers

PROJECT = Path(__file__).parent / "django_project"
ROOT = Path(__file__).parents[2]
LIMIT = 120


def python(database: Address, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {
        **os.environ,
        "DSN": database.dsn,
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(ROOT)]),
    }
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_migrations_make_what_they_make_on_postgresql(database: Address, oracle_database: Address) -> None:
    """Forwards and backwards, with every kind of operation: the schema, the rows, and the models that inspectdb reads."""
    with ThreadPoolExecutor() as pool:
        ours, theirs = pool.map(_history, [database, oracle_database])
    assert ours["models"] == theirs["models"]
    for stop, expected in zip(ours["history"], theirs["history"], strict=True):
        assert stop == expected


def _history(address: Address) -> Any:
    return json.loads(python(address, "history.py").stdout)


def test_the_project_passes_its_tests(database: Address) -> None:
    """ORM, admin and locks, in two processes with a test database each, which the runner creates and destroys."""
    output = python(database, "-m", "django", "test", "--noinput", "--parallel", "2").stderr
    assert re.search(r"^Ran 22 tests", output, re.MULTILINE), output
    assert output.count("Destroying test database") >= 1, output
