"""Isolation files as pytest items: one item for each schedule, so that one of them can be run alone."""

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from tests.harness import isolation
from tests.harness.collect import COUNTS, ComparisonItem, DifferenceError
from tests.harness.isolation import IsolationFile, Schedule


class IsolationFileCollector(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        file = isolation.read(self.path)
        for number, schedule in enumerate(file.schedules, 1):
            yield ScheduleItem.from_parent(self, name=f"schedule {number}", file=file, schedule=schedule)


class ScheduleItem(ComparisonItem):
    """Runs a schedule and compares; with --record, writes what PostgreSQL did."""

    def __init__(self, *, file: IsolationFile, schedule: Schedule, **rest: Any) -> None:
        super().__init__(**rest)
        self.file = file
        self.schedule = schedule

    def runtest(self) -> None:
        happened = isolation.run(self.file, self.schedule, self.server())
        if self.config.getoption("record"):
            self.schedule.expected[:] = happened
            self.file.write()
        expected = self.schedule.expected_of(self.target)
        self.user_properties.append((COUNTS, [int(happened == expected), 1]))
        if happened != expected:
            lines = unified_diff(expected, happened, "expected", self.target, lineterm="", n=100)
            raise DifferenceError(f"{self.schedule.where}\n" + "\n".join(list(lines)[3:]))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.schedule.line - 1, f"{self.path.relative_to(self.config.rootpath)}::{self.name}"
