"""The way to the database: the server's socket, else the file itself, else an explanation.

A server has `socket_timeout` milliseconds for taking the connection, start-up and its first ReadyForQuery together. When none
answers, the lock file in the data directory tells whether one owns the files and listens elsewhere; then that is asked. With no owner
the files are opened in this process, with a warning: others do the same, or a server may start, and nothing is lost. An owner that
cannot be reached stops everybody who did not say --direct or --force.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clients.cli import problems
from clients.cli.problems import Problem
from clients.cli.settings import home
from clients.postgres.connection import Connection
from clients.postgres.errors import ConnectionFailed, DatabaseError
from clients.postgres.socket_stream import SocketStream
from clients.tasks import migrations

if TYPE_CHECKING:
    from clients.cli.settings import Settings

LOCK_FILE: Final = "litephant.lock"
_DEFAULT_DATABASE: Final = "postgres"


class Way:
    """How a database is reached. `warnings` collects what the user should know."""

    def __init__(self, settings: Settings, *, force: bool = False) -> None:
        self.settings = settings
        self.warnings: list[str] = []
        self.served: str | None = None  # host:port of the server that answers
        self._force = force

    def open(self, *, create: bool = False) -> Connection:
        """A connection to the database, whose tables are there; `create`: make the database, too."""
        connection = self.connect(create=create)
        if connection.run(migrations.version()) < migrations.LATEST:
            connection.run(migrations.migrate())
        return connection

    def connect(self, *, create: bool = False) -> Connection:
        """A connection to the database."""
        name = self.settings["database"]
        try:
            return self.session(name)
        except DatabaseError as error:
            if error.sqlstate != "3D000" or not create:
                raise
        with self.session(_DEFAULT_DATABASE) as connection:
            try:
                connection.execute(f'CREATE DATABASE "{name.replace(chr(34), chr(34) * 2)}"')
            except DatabaseError as error:
                if error.sqlstate != "42P04":  # somebody else was faster
                    raise
        return self.session(name)

    def session(self, database: str) -> Connection:
        """A session in this database, by the way that is open."""
        mode = self.settings["mode"]
        if mode not in {"auto", "server", "direct"}:
            origin = self.settings.value("mode").origin
            why = f"It comes from: {origin}. There are auto, server and direct."
            raise Problem(f"there is no mode {mode!r}", status=problems.USAGE, why=why)
        if mode == "direct":
            return self._direct(database)
        address = self.served or f"{self.settings['host']}:{self.settings.number('port')}"
        try:
            return self._served(address, database)
        except ConnectionFailed as failure:
            return self._without_server(address, database, failure, required=mode == "server")

    # The server

    def _served(self, address: str, database: str) -> Connection:
        host, _, port = address.rpartition(":")
        stream = SocketStream.connect(host, int(port), self.settings.number("socket_timeout") / 1000)
        connection = Connection.open(
            stream,
            user=self.settings["user"],
            database=database,
            password=self.settings["password"] or None,
            application_name="astro",
        )
        stream.deadline = None
        self.served = address
        return connection

    def _without_server(self, address: str, database: str, failure: ConnectionFailed, *, required: bool) -> Connection:
        if required:
            raise Problem(
                f"no server answers at {address}",
                status=problems.SERVER_REQUIRED,
                why=f"{failure}, and --require-server (or mode = server) asks for one.",
                steps=[("astro up", "starts one in the background"), ("make serve", "starts one in the foreground")],
            )
        path = self.path()
        holder = owner(path)
        if holder and not self._force:
            elsewhere = str(holder.get("address", ""))
            if elsewhere and elsewhere != address and self.served is None:
                try:
                    return self._served(elsewhere, database)
                except ConnectionFailed:
                    pass
            raise _in_use(path, holder, address, failure)
        self.warnings.append(f"no server at {address}: opened {path} directly")
        return self._direct(database)

    # The files

    def _direct(self, database: str) -> Connection:
        from clients.postgres.direct import DirectStream

        path = self.path()
        try:
            return Connection.open(DirectStream(path), user=self.settings["user"], database=database)
        except DatabaseError as error:
            if error.sqlstate in {"55P03", "58030", "XX000", "55006"}:
                raise _locked(path, error) from error
            raise

    def path(self) -> Path:
        """The data directory, or file: what is set, what a server at that address said last, ./data, the user's own."""
        if self.settings["data"]:
            return Path(self.settings["data"]).expanduser().absolute()
        known = _remembered().get(f"{self.settings['host']}:{self.settings['port']}")
        if known and Path(known).exists():
            return Path(known)
        here = Path("data").absolute()
        return here if (here / LOCK_FILE).exists() else home("XDG_DATA_HOME", ".local/share")

    def remember(self, connection: Connection) -> None:
        """Note where the server has its files, for the time when it does not run."""
        address = f"{self.settings['host']}:{self.settings['port']}"
        known = _remembered()
        if self.served is None or (address in known and Path(known[address]).exists()):
            return
        found = Path(connection.execute("SHOW data_directory").rows[0][0])
        if not (found / LOCK_FILE).exists() and not found.with_name(f"{found.name}.{LOCK_FILE}").exists():
            return  # on another machine, or PostgreSQL's own
        known[address] = str(found)
        file = _state_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{os.getpid()}")
        new.write_text(json.dumps(known), encoding="utf-8")
        new.replace(file)


def owner(path: Path) -> dict[str, Any]:
    """Who owns the cluster at that path, as its lock file has it; nothing when nobody does."""
    file = path / LOCK_FILE if path.is_dir() else path.with_name(f"{path.name}.{LOCK_FILE}")
    try:
        holder = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(holder, dict):
        return {}
    return holder if holder.get("host") != socket.gethostname() or is_alive(int(holder.get("pid", 0))) else {}


def is_alive(process_id: int) -> bool:
    """Whether the process runs on this machine."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process_id > 0


def _state_file() -> Path:
    return home("XDG_STATE_HOME", ".local/state") / "servers.json"


def _remembered() -> dict[str, str]:
    try:
        known = json.loads(_state_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _in_use(path: Path, holder: dict[str, Any], address: str, failure: ConnectionFailed) -> Problem:
    where = f", listening at {holder['address']}" if "address" in holder else ""
    return Problem(
        f"{path} belongs to a server that does not answer",
        status=problems.LOCKED,
        why=f"{failure}. Process {holder.get('pid')} on {holder.get('host')} has owned it since {holder.get('started_at')}{where}.",
        steps=[
            (f"kill {holder.get('pid')}", "1. stops that server; then try again"),
            ("--socket-timeout=2000", "2. gives it more time to answer"),
            ("--direct", "3. opens the files beside it: safe, but without its row locks"),
        ],
    )


def _locked(path: Path, error: DatabaseError) -> Problem:
    from clients.cli.lockholder import holder_of

    found = holder_of(path)
    who = f"{found} holds it." if found else "Another program holds it."
    return Problem(
        f"{path} is locked",
        status=problems.LOCKED,
        why=f"{error.message}. {who}",
        steps=[
            ("astro up", "1. starts a server, which waits for the lock and lets all work at once"),
            ("astro --require-server …", "2. never opens the file itself"),
            ("(end that program)", "3. then try again; --force does not help against SQLite's own lock"),
        ],
    )
