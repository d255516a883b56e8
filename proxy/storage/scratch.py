"""A SQLite connection without a file, on which the translator computes constant expressions (lower/constants.py)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import apsw

from proxy.storage.functions import VolatileResults, install

if TYPE_CHECKING:
    from translator.types.base import Stored


class Scratch(threading.local):
    """One connection a thread, opened when first used."""

    def __init__(self) -> None:
        self._sqlite: apsw.Connection | None = None
        self._installed: set[str] = set()

    def evaluate(self, sql: str, functions: frozenset[str]) -> Stored | None:
        """The value of a SELECT without FROM. Raises SqlError as the functions do, ValueError for what SQLite refuses."""
        if self._sqlite is None:
            self._sqlite = apsw.Connection(":memory:")
            self._sqlite.execute("PRAGMA case_sensitive_like = 1")
        for name in functions - self._installed:
            install(self._sqlite, name, VolatileResults())
            self._installed.add(name)
        try:
            value: Stored | None = next(self._sqlite.execute(sql))[0]
        except apsw.Error as error:
            raise ValueError(sql) from error
        return value


scratch = Scratch()
