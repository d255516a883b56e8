"""The command `litephant`: starts the server."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from proxy.server import Server

_LEVELS = ("debug", "info", "warning", "error")


@click.group()
@click.version_option(package_name="litephant")
def main() -> None:
    """A PostgreSQL server that keeps its data in SQLite files."""


@main.command()
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("data"), show_default=True, help="Directory, or one SQLite file."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=45432, show_default=True, help="0 takes a free port.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask clients for the password in this file.",
)
@click.option("--log-level", type=click.Choice(_LEVELS), default="info", show_default=True)
def serve(data: Path, host: str, port: int, password_file: Path | None, log_level: str) -> None:
    """Serve the databases in DATA.

    Clients are trusted unless a password is set, by --password-file or in LITEPHANT_PASSWORD.
    """
    import os

    from proxy import server
    from proxy.storage.owner import ClusterInUse

    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    password = os.environ.get("LITEPHANT_PASSWORD") or None
    if password_file is not None:
        password = password_file.read_text(encoding="utf-8").rstrip("\r\n")

    def ready(running: Server) -> None:
        # What is loaded by now stays, so the collector need not look at it again; and what a query makes is freed by
        # reference counts, so that a look at it is seldom worth while. Together 2 µs a query.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000)
        database = data.stem if data.is_file() else "postgres"
        print(f"litephant is ready: postgres://{host}:{running.port}/{database}, data in {data}", flush=True)

    try:
        _run(server.serve(data, host, port, password, ready))
    except ClusterInUse as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"cannot listen on {host}:{port}: {reason}") from error


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)
