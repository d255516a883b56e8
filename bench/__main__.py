"""`python -m bench`: run the workloads against both servers by turns and print the table of docs/PERFORMANCE.md.

Each round runs a workload once on every server, one directly after the other, so that whatever else the machine does hits
both. What counts is the ratio of the medians; single figures swing.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.targets import Target, running
from bench.workload import Workload
from bench.workloads import named

NOTES = Path(__file__).with_name("notes.md")  # what the figures do not say themselves
DOCUMENT = Path(__file__).parents[1] / "docs" / "PERFORMANCE.md"


@dataclass(frozen=True)
class Result:
    """A workload's medians, by server: its figure, and CPU microseconds of the server an operation."""

    workload: Workload
    value: dict[str, float]
    cpu: dict[str, float]

    @property
    def ratio(self) -> float:
        """How many times as good as PostgreSQL."""
        ratio = self.value[self.workload.ours] / self.value["PostgreSQL"]
        return 1 / ratio if self.workload.smaller_is_better else ratio

    def row(self) -> str:
        """A line of the table."""
        workload, ours = self.workload, self.workload.ours
        missed = (workload.floor is not None and self.ratio < workload.floor) or (
            workload.most is not None and self.value[ours] > workload.most
        )
        aim = "" if workload.floor is None else f"{workload.floor:g}"
        if workload.most is not None:
            aim = f"at most {workload.most:g} times"
        ratio = f"**{self.ratio:.2f}**" if missed else f"{self.ratio:.2f}"
        figures = [f"{_shown(self.value[name])} ({self.cpu[name]:,.3g} µs)" for name in ("PostgreSQL", ours)]
        return f"| {workload.name} | {figures[0]} | {figures[1]} | {workload.unit} | {ratio} | {aim} |"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def measure(workload: Workload, targets: list[Target], rounds: int, seconds: float) -> Result:
    """Run one workload in rounds."""
    compared = [target for target in targets if target.name in {"PostgreSQL", workload.ours}]
    for target in compared:
        workload.prepare(target)
    values: dict[str, list[float]] = {target.name: [] for target in compared}
    cpus: dict[str, list[float]] = {target.name: [] for target in compared}
    for _ in range(rounds):
        for target in compared:
            before = target.cpu_seconds()
            value, operations = workload.run(target, seconds)
            used = target.cpu_seconds() - before
            values[target.name].append(value)
            cpus[target.name].append(used / operations * 1e6)
    median = statistics.median
    return Result(
        workload,
        {name: median(found) for name, found in values.items()},
        {name: median(found) for name, found in cpus.items()},
    )


_HEADER = """# Performance

Measured by `make bench`: litephant and PostgreSQL 18 in its default configuration (fsync on) on one machine, workload by
workload and by turns. A figure is the median of {rounds} rounds of {seconds:g} s; in parentheses, the server's CPU time an
operation. Ratio: how many times as good as PostgreSQL litephant is, in bold where that is not what is aimed at.

Machine: {machine}. Single figures swing by a factor of two on a busy machine; the ratios swing less.

| workload | PostgreSQL | litephant | unit | ratio | aim |
| --- | --- | --- | --- | --- | --- |
"""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="", help="part of a workload's name")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    options = parser.parse_args()
    machine = f"{os.cpu_count()} CPUs, {platform.machine()}, Linux {platform.release()}, Python {platform.python_version()}"
    machine += f", load average {os.getloadavg()[0]:.0f} when it began"
    lines = []
    with running() as targets:
        for workload in named(options.only):
            try:
                line = measure(workload, targets, options.rounds, options.seconds).row()
            except Exception as error:  # one workload that fails must not hide the others' figures
                line = f"| {workload.name} | | | | failed: {repr(error)[:120]} | |"
            lines.append(line)
            print(line, flush=True)
    if options.write:
        header = _HEADER.format(rounds=options.rounds, seconds=options.seconds, machine=machine)
        DOCUMENT.write_text(f"{header}{chr(10).join(lines)}\n\n{NOTES.read_text(encoding='utf-8')}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
