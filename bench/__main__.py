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
from bench.workloads import Workload, named

DOCUMENT = Path(__file__).parents[1] / "docs" / "PERFORMANCE.md"


@dataclass(frozen=True)
class Result:
    """A workload's medians, by server: operations a second, and CPU microseconds of the server an operation."""

    workload: Workload
    speed: dict[str, float]
    cpu: dict[str, float]

    @property
    def ratio(self) -> float:
        """litephant's speed as a multiple of PostgreSQL's."""
        return self.speed["litephant"] / self.speed["PostgreSQL"]

    def row(self) -> str:
        """A line of the table."""
        floor = self.workload.floor
        aim = "" if floor is None else f"{floor:g}"
        missed = floor is not None and self.ratio < floor
        ratio = f"**{self.ratio:.2f}**" if missed else f"{self.ratio:.2f}"
        figures = [f"{self.speed[name]:,.0f} ({self.cpu[name]:,.3g} µs)" for name in ("PostgreSQL", "litephant")]
        return f"| {self.workload.name} | {figures[0]} | {figures[1]} | {self.workload.unit} | {ratio} | {aim} |"


def measure(workload: Workload, targets: list[Target], rounds: int, seconds: float) -> Result:
    """Run one workload in rounds."""
    for target in targets:
        workload.prepare(target)
    speeds: dict[str, list[float]] = {target.name: [] for target in targets}
    cpus: dict[str, list[float]] = {target.name: [] for target in targets}
    for _ in range(rounds):
        for target in targets:
            before = target.cpu_seconds()
            operations, elapsed = workload.run(target, seconds)
            used = target.cpu_seconds() - before
            speeds[target.name].append(operations / elapsed)
            cpus[target.name].append(used / operations * 1e6)
    median = statistics.median
    return Result(
        workload,
        {name: median(values) for name, values in speeds.items()},
        {name: median(values) for name, values in cpus.items()},
    )


_HEADER = """# Performance

Measured by `make bench`: litephant and PostgreSQL 18 in its default configuration (fsync on) on one machine, workload by
workload and by turns. Speed is the median of {rounds} rounds of {seconds:g} s; in parentheses, the server's CPU time an
operation. Ratio: litephant's speed as a multiple of PostgreSQL's, in bold where it is below what is aimed at.

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
    lines = []
    with running() as targets:
        for workload in named(options.only):
            try:
                line = measure(workload, targets, options.rounds, options.seconds).row()
            except Exception as error:  # one workload that fails must not hide the others' figures
                line = f"| {workload.name} | | | | failed: {str(error).splitlines()[0][:120]} | |"
            lines.append(line)
            print(line, flush=True)
    if options.write:
        header = _HEADER.format(rounds=options.rounds, seconds=options.seconds, machine=machine)
        DOCUMENT.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
