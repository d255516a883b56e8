"""The rules that the repository keeps for itself: sizes, docstrings, names, layers, generated files."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("proxy", "translator", "clients")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
GENERATED = {Path("translator/sqlstate.py")}

FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|manager|processor)(_|$)")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "no module docstring"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_is_of_a_size_that_one_reads(path: Path) -> None:
    if path.relative_to(ROOT) not in GENERATED:
        assert len(path.read_text().splitlines()) < 500


def test_names_say_what_a_module_does() -> None:
    assert [_name(path) for path in SOURCES if FORBIDDEN_NAMES.search(path.stem)] == []


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in SOURCES}
    assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    found = [
        _name(path)
        for path in (ROOT / "tests").rglob("*.py")
        if "node_modules" not in path.parts
        and re.search(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b", path.read_text().replace("(mark\\.)", ""))
        and path != Path(__file__)
    ]
    assert found == []


def test_the_codec_imports_nothing_but_the_standard_library() -> None:
    """Clients start in a few milliseconds because of it."""
    check = "import sys, proxy.wire.protocol; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-S", "-c", check], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    foreign = set(done.stdout.split()) - set(sys.stdlib_module_names) - {"proxy", "__main__", "_distutils_hack"}
    assert foreign == set()


def test_every_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[\[=<>; ]", requirement)[0] for requirement in project["dependencies"]}
    text = "\n".join(path.read_text() for path in SOURCES)
    used = {name for name in names if re.search(rf"^\s*(import|from) {name}\b", text, re.MULTILINE)}
    assert names - used <= {"tzdata", "sqlglotc"}, "tzdata is data for zoneinfo, sqlglotc compiled code for sqlglot"
