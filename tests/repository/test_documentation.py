"""What the documents name exists, and what exists is documented."""

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "tests" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_commands_exist(path: Path) -> None:
    named = set(re.findall(r"(?:`|^|\n)make ([a-z-]+)", path.read_text()))
    assert named - _targets() == set()


def test_every_option_of_the_server_has_a_help_text() -> None:
    from proxy.cli import main

    shown = CliRunner().invoke(main, ["serve", "--help"])
    assert shown.exit_code == 0
    assert "45432" in shown.output
    for option in ("--data", "--port", "--password-file"):
        assert option in shown.output


def test_markers_are_explained() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    names = [marker.split(":")[0] for marker in settings["markers"]]
    text = (ROOT / "tests" / "README.md").read_text()
    assert [name for name in names if f"`{name}`" not in text] == []


def test_directives_and_options_of_case_files_are_explained() -> None:
    from tests.harness.casefile import DIRECTIVES, OPTIONS

    text = (ROOT / "tests" / "README.md").read_text()
    assert [word for word in sorted(DIRECTIVES | OPTIONS) if not re.search(rf"`{word}\b", text)] == []


def test_every_driver_of_the_matrix_is_named() -> None:
    text = (ROOT / "docs" / "COMPATIBILITY.md").read_text()
    for client in (
        "psql",
        "psycopg",
        "asyncpg",
        "SQLAlchemy",
        "node-postgres",
        "postgres.js",
        "drizzle-orm",
        "@astrotask/core",
    ):
        assert client in text
