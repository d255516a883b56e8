"""Options, fixtures and the collection of case files. How tests are written is told in README.md."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.harness import casefile, isolation
from tests.harness.casefile import Answered
from tests.harness.client import Address
from tests.harness.collect import ADDRESS, COUNTS, CaseFileCollector
from tests.harness.collect_isolation import IsolationFileCollector
from tests.harness.databases import fresh_database
from tests.harness.targets import Targets

CASES = Path(__file__).parent / "cases"

_targets = pytest.StashKey[Targets]()
_counts = pytest.StashKey[list[int]]()

# A test does not fail because the machine is busy.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("litephant")
    group.addoption("--record", action="store_true", help="write PostgreSQL's answers into the case files")
    group.addoption(
        "--target", choices=["litephant", "postgres"], default="litephant", help="the server that case files run against"
    )
    group.addoption("--divergences", action="store_true", help="list what differs from PostgreSQL on purpose, and stop")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if not config.getoption("divergences"):
        return None
    cases: list[Answered] = [case for path in sorted(CASES.rglob("*.test")) for case in casefile.read(path).cases]
    cases += [schedule for path in sorted(CASES.rglob("*.isolation")) for schedule in isolation.read(path).schedules]
    diverging = [(case, case.divergence) for case in cases if case.divergence is not None]
    for case, divergence in diverging:
        print(f"{case.path.relative_to(CASES)}:{case.line}: {divergence.reason}")
    print(f"{len(diverging)} divergences in {len(cases)} cases")
    return 0


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("record"):
        config.option.target = "postgres"
    config.stash[_targets] = Targets()
    config.stash[_counts] = [0, 0]
    config.stash[ADDRESS] = config.stash[_targets].address


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_targets].close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".test" and CASES in file_path.parents:
        return CaseFileCollector.from_parent(parent, path=file_path)
    if file_path.suffix == ".isolation" and CASES in file_path.parents:
        return IsolationFileCollector.from_parent(parent, path=file_path)
    return None


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport, config: pytest.Config) -> None:
    """Add up what the items counted; with several workers, their reports pass through here too."""
    if not isinstance(report, pytest.TestReport) or report.when != "call":
        return
    for key, value in report.user_properties:
        if key == COUNTS and isinstance(value, list):
            counts = config.stash[_counts]
            counts[:] = [counts[0] + value[0], counts[1] + value[1]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    agreed, total = config.stash[_counts]
    if total:
        terminalreporter.write_line(f"cases: {agreed} of {total} agree (each counted once a mode)")


@pytest.fixture(scope="session")
def oracle(request: pytest.FixtureRequest) -> Address:
    """A real PostgreSQL 18."""
    return request.config.stash[ADDRESS]("postgres")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Address:
    """Our server, in this process."""
    return request.config.stash[ADDRESS]("litephant")


@pytest.fixture(scope="session")
def driver_server(request: pytest.FixtureRequest) -> Address:
    """The server that drivers are tried on: ours, as users start it; PostgreSQL with --target=postgres."""
    target = request.config.getoption("target")
    return request.config.stash[ADDRESS]("postgres" if target == "postgres" else "litephant process")


@pytest.fixture
def database(driver_server: Address) -> Iterator[Address]:
    """A fresh database for a driver."""
    with fresh_database(driver_server) as address:
        yield address


@pytest.fixture
def oracle_database(oracle: Address) -> Iterator[Address]:
    """A fresh database on PostgreSQL."""
    with fresh_database(oracle) as address:
        yield address
