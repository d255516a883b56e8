"""Case files as pytest items: one item for each file and mode.

An item fails with every case that differs, not with the first, so that one run shows the whole distance to PostgreSQL.
"""

import re
from collections.abc import Callable, Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any, Final

import pytest

from tests.harness import casefile, compare
from tests.harness.casefile import Case, CaseFile
from tests.harness.client import Address
from tests.harness.databases import fresh_database
from tests.harness.lift import lift
from tests.harness.runner import Mode, Outcome, Runner

_SQLSTATE: Final = re.compile(r"(?=[A-Z]*\d)[0-9A-Z]{5} ")

COUNTS = "cases that agreed, and all"
"""Key of the user property that a report carries to the summary."""


class DifferenceError(Exception):
    """What differed, as a text for the terminal."""


class CaseFileCollector(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        file = casefile.read(self.path)
        record = self.config.getoption("record")
        modes = [Mode.SIMPLE] if record or _is_conversation(file) else list(Mode)
        for mode in modes:
            kind = RecordItem if record else CaseFileItem
            yield kind.from_parent(self, name="record" if record else mode.value, file=file, mode=mode)


class ComparisonItem(pytest.Item):
    """What runs against a server, and holds what it does against what is written down."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.target: str = self.config.getoption("target")

    def server(self) -> Address:
        start: Callable[[str], Address] = self.config.stash[ADDRESS]
        return start(self.target)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, DifferenceError) else super().repr_failure(excinfo, style)


class CaseFileItem(ComparisonItem):
    """Runs a file in one mode and compares."""

    def __init__(self, *, file: CaseFile, mode: Mode, **rest: Any) -> None:
        super().__init__(**rest)
        self.file = file
        self.mode = mode

    def runtest(self) -> None:
        wrong = self.compare(self.mode)
        total = len(self.file.cases)
        self.user_properties.append((COUNTS, [total - len(wrong), total]))
        if wrong:
            raise DifferenceError("\n\n".join(wrong))

    def compare(self, mode: Mode) -> list[str]:
        outcomes = run(self.file, self.server(), mode)
        return [_difference(outcome, self.target, mode) for outcome in outcomes if not _agrees(outcome, self.target, mode)]

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.relative_to(self.config.rootpath)}::{self.name}"


class RecordItem(CaseFileItem):
    """Writes PostgreSQL's answers into the file; the other modes must then give the same."""

    def runtest(self) -> None:
        before = self.path.read_text()
        for outcome in run(self.file, self.server(), Mode.SIMPLE):
            outcome.case.expected[:] = outcome.answer
        self.file.write()
        if not _is_conversation(self.file):
            self._find_what_lifts()
            wrong = [*self.compare(Mode.TEXT), *self.compare(Mode.BINARY)]
            wrong += [f"{case.where}: {problem}" for case in self.file.cases for problem in _mislabelled(case)]
            if wrong:
                raise DifferenceError("\n\n".join(wrong))
        if self.path.read_text() != before:
            self.add_report_section("call", "recorded", str(self.path))

    def _find_what_lifts(self) -> None:
        """Lift all that can be, and again without the first case that then differs, since later cases build on it."""
        for case in self.file.cases:
            case.options |= {"lift"} if lift(case.input) is not None and "simple" not in case.options else set()
        while True:
            outcomes = run(self.file, self.server(), Mode.LIFTED)
            wrong = [outcome.case for outcome in outcomes if not _agrees(outcome, "postgres", Mode.LIFTED)]
            if not wrong:
                break
            reading = [case for case in wrong if case.directive != "statement" and case.input.lower().startswith("select")]
            for case in reading if reading == wrong else wrong[:1]:
                case.options -= {"lift"}
        self.file.write()


ADDRESS = pytest.StashKey[Callable[[str], Address]]()


def run(file: CaseFile, server: Address, mode: Mode) -> list[Outcome]:
    with fresh_database(server) as address:
        runner = Runner(address, mode)
        try:
            return [runner.run(case) for case in file.cases]
        finally:
            runner.close()


def _is_conversation(file: CaseFile) -> bool:
    return all(case.directive in {"send", "until"} for case in file.cases)


def _agrees(outcome: Outcome, target: str, mode: Mode) -> bool:
    lifted = mode is Mode.LIFTED and "lift" in outcome.case.options
    return compare.agrees(outcome.answer, outcome.case.expected_of(target), lifted=lifted)


def _mislabelled(case: Case) -> Iterator[str]:
    """A directive that promises what PostgreSQL did not do."""
    failed = any(_SQLSTATE.match(line) for line in case.expected[:1])
    if case.directive == "error" and not failed:
        yield f"an error is promised, PostgreSQL has none:\n{case.input}"
    if case.directive in {"statement", "query"} and failed and "simple" not in case.options:
        yield f"PostgreSQL has an error: {case.expected[0]}\n{case.input}"


def _difference(outcome: Outcome, target: str, mode: Mode) -> str:
    case = outcome.case
    lines = unified_diff(case.expected_of(target), outcome.answer, "expected", target, lineterm="", n=3)
    return f"{case.where} ({mode.value})\n{case.input}\n" + "\n".join(list(lines)[2:])
