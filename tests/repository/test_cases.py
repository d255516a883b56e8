"""The case files: all recorded, and each divergence with its reason."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.harness import casefile, isolation
from tests.harness.casefile import Answered, CaseFile

CASES = Path(__file__).parents[1] / "cases"
FILES = sorted(CASES.rglob("*.test"))
SCHEDULES = sorted(CASES.rglob("*.isolation"))


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


@pytest.mark.parametrize("path", SCHEDULES, ids=lambda path: path.stem)
def test_schedules_are_recorded_and_written_as_they_are_read(path: Path) -> None:
    file = isolation.read(path)
    assert [schedule.where for schedule in file.schedules if not schedule.expected] == []
    assert isolation.text_of(file) == path.read_text()


@pytest.mark.parametrize("path", FILES + SCHEDULES, ids=lambda path: str(path.relative_to(CASES)))
def test_a_divergence_has_a_reason_and_differs(path: Path) -> None:
    """What litephant refuses with 0A000 stands under a divergence, so that it is counted."""
    answered: Sequence[Answered] = casefile.read(path).cases if path.suffix == ".test" else isolation.read(path).schedules
    for one in answered:
        if one.divergence is not None:
            assert one.divergence.reason, one.where
            assert one.divergence.expected, one.where
            assert one.divergence.expected != one.expected, one.where


def test_there_are_as_many_cases_as_the_project_promised() -> None:
    assert sum(len(casefile.read(path).cases) for path in FILES) > 900
