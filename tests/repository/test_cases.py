"""The case files: all recorded, and each divergence with its reason."""

from pathlib import Path

import pytest

from tests.harness import casefile
from tests.harness.casefile import CaseFile

CASES = Path(__file__).parents[1] / "cases"
FILES = sorted(CASES.rglob("*.test"))


@pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(CASES)))
def file(request: pytest.FixtureRequest) -> CaseFile:
    return casefile.read(request.param)


def test_a_file_begins_with_its_topic(file: CaseFile) -> None:
    assert file.path.read_text().startswith("# ")


def test_a_file_is_written_as_it_is_read(file: CaseFile) -> None:
    before = file.path.read_text()
    assert "".join(piece if isinstance(piece, str) else casefile.format_case(piece) for piece in file.pieces) == before


def test_postgresql_has_answered(file: CaseFile) -> None:
    unanswered = [case.where for case in file.cases if not case.expected and case.directive != "send"]
    assert unanswered == []


def test_postgresql_does_not_lack_a_feature(file: CaseFile) -> None:
    """What litephant refuses with 0A000 stands under a divergence, so that it is counted."""
    for case in file.cases:
        if case.divergence is not None:
            assert case.divergence.reason, case.where
            assert case.divergence.expected, case.where
            assert case.divergence.expected != case.expected, case.where


def test_there_are_as_many_cases_as_the_project_promised() -> None:
    assert sum(len(casefile.read(path).cases) for path in FILES) > 900
