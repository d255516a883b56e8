"""up, status, ping: the server."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any, Final

import click

from clients.cli import output
from clients.cli.access import owner
from clients.cli.arguments import Length
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.cli.problems import Problem
from clients.cli.settings import home
from clients.postgres.connection import Connection
from clients.postgres.errors import ConnectionFailed, DatabaseError
from clients.postgres.socket_stream import SocketStream

_START_LIMIT: Final = 20.0  # seconds
_ACCEPTING, _REJECTING, _SILENT = 0, 1, 2  # pg_isready's
_WORDS: Final = {_ACCEPTING: "accepting connections", _REJECTING: "rejecting connections", _SILENT: "no response"}


def answer(invocation: Invocation) -> int:
    """How the server answers, by pg_isready's codes."""
    settings = invocation.settings
    try:
        stream = SocketStream.connect(settings["host"], settings.number("port"), settings.number("socket_timeout") / 1000)
        password = settings["password"] or None
        Connection.open(stream, user=settings["user"], database="postgres", password=password).close()
    except ConnectionFailed as failure:
        return _ACCEPTING if "password" in str(failure) else _SILENT
    except DatabaseError as error:
        return _REJECTING if error.sqlstate == "57P03" else _ACCEPTING
    return _ACCEPTING


@click.command(cls=Command)
@pass_invocation
def ping(invocation: Invocation) -> int:
    """Ask whether the server answers: 0 yes, 1 it rejects, 2 it does not answer."""
    code = answer(invocation)
    address = f"{invocation.settings['host']}:{invocation.settings['port']}"
    if invocation.json:
        output.print_json(invocation, {"address": address, "code": code, "answer": _WORDS[code]})
    elif not invocation.quiet:
        click.echo(f"{address} - {_WORDS[code]}")
    return code


@click.command(cls=Command)
@pass_invocation
def status(invocation: Invocation) -> None:
    """Say what is reached, and how."""
    connection = invocation.connection()
    way, settings = invocation.way, invocation.settings
    counted = connection.execute("SELECT status, count(*) FROM astro.tasks GROUP BY status ORDER BY status").rows
    data: dict[str, Any] = {
        "mode": "server" if way.served else "direct",
        "address": way.served,
        "database": settings["database"],
        "data": str(way.path()),
        "owner": owner(way.path()) or None,
        "version": connection.execute("SHOW server_version").rows[0][0],
        "tasks": dict(counted),
    }
    if invocation.json:
        output.print_json(invocation, data)
        return
    click.echo(f"mode      {data['mode']}" + (f" at {way.served}" if way.served else ""))
    click.echo(f"database  {data['database']} in {data['data']}")
    if data["owner"]:
        click.echo(f"owner     process {data['owner'].get('pid')} since {data['owner'].get('started_at')}")
    click.echo("tasks     " + (", ".join(f"{count} {name}" for name, count in counted) or "none"))


@click.command(cls=Command)
@click.option(
    "--idle-exit", type=Length(), default="8h", show_default=True, help="End it after so long without a connection; 0: never."
)
@pass_invocation
def up(invocation: Invocation, idle_exit: float) -> None:
    """Start the server in the background, and wait until it is ready."""
    settings = invocation.settings
    address = f"{settings['host']}:{settings['port']}"
    if answer(invocation) == _ACCEPTING:
        invocation.say(f"a server answers at {address} already")
        return
    log = home("XDG_STATE_HOME", ".local/state") / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "proxy", "serve", "--data", str(invocation.way.path())]
    command += ["--host", settings["host"], "--port", settings["port"], "--idle-exit", str(idle_exit)]
    with log.open("ab") as file:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    end = time.monotonic() + _START_LIMIT
    while answer(invocation) != _ACCEPTING:
        if server.poll() is not None or time.monotonic() > end:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            raise Problem("the server did not start", why=lines[-1] if lines else "", steps=[(f"less {log}", "shows its log")])
        time.sleep(0.05)
    if invocation.json:
        output.print_json(invocation, {"pid": server.pid, "address": address, "log": str(log)})
    else:
        click.echo(f"the server is ready at {address} (process {server.pid}, log in {log})")
