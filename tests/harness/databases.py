"""Fresh databases on a server, by the SQL that any PostgreSQL client would use."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from proxy.wire.backend import ErrorResponse, ReadyForQuery
from proxy.wire.frontend import Query
from tests.harness.client import Address, Client

_numbers = itertools.count(1)


def execute(address: Address, text: str) -> None:
    """Run a statement that must succeed."""
    with Client(address) as client:
        client.send(Query(text))
        for message in client.receive_until(ReadyForQuery):
            match message:
                case ErrorResponse(code=code, message=reason):
                    raise RuntimeError(f"{text}: {code} {reason}")


@contextmanager
def fresh_database(server: Address, template: str = "template1") -> Iterator[Address]:
    """A new database; it is dropped at the end. Its name is not seen in any recorded text."""
    name = f"case_{os.getpid()}_{next(_numbers)}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield replace(server, database=name)
    finally:
        execute(server, f"DROP DATABASE {name} WITH (FORCE)")
