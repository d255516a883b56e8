"""Every command, against a server in a process each, and in direct mode."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.transcript import Home, here, play
from tests.harness.collect import ADDRESS
from tests.harness.databases import fresh_database

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def transcript(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    with fresh_database(request.config.stash[ADDRESS]("litephant process")) as database:
        (tmp_path / "astro.toml").write_text(f'database = "{database.database}"\n')
        yield Home(tmp_path, database.port)


@pytest.mark.drivers
def test_with_a_server(served: Home, transcript: Path, request: pytest.FixtureRequest) -> None:
    name = (served.directory / "astro.toml").read_text().split('"')[1]
    played = play(transcript, served.astro, lambda answer: served.shown(answer).replace(name, "astrotask"))
    if request.config.getoption("record"):
        transcript.write_text(played, encoding="utf-8")
    assert played == transcript.read_text(encoding="utf-8")


def test_in_direct_mode(transcript: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path, 1)
    for name, value in home.environment(ASTRO_MODE="direct").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    home.directory.joinpath("astro.toml").write_text('database = "astrotask"\n')
    assert play(transcript, here, home.shown) == transcript.read_text(encoding="utf-8")
