"""What type functions and SQL functions read of the session they run for.

`Settings` holds the run-time parameters that change the meaning or the text of values; the session owns one and updates
it on SET. `runtime` is the thread's current session: storage sets it before it steps a statement, so that functions
registered once on a pooled SQLite connection answer for whoever uses the connection now.

Functions must not keep what they read here between calls.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any


@dataclass(slots=True)
class Settings:
    """Run-time parameters with a bearing on translation, input or output. Values are parsed, not the SHOW text."""

    search_path: tuple[str, ...] = ("$user", "public")
    date_style: str = "ISO"  # ISO, SQL, Postgres, German
    date_order: str = "MDY"  # MDY, DMY, YMD
    interval_style: str = "postgres"  # postgres, postgres_verbose, sql_standard, iso_8601
    timezone_name: str = "UTC"
    timezone: tzinfo = UTC
    bytea_output: str = "hex"  # hex, escape
    extra_float_digits: int = 1
    xmloption: str = "content"
    user: str = "postgres"
    session_user: str = "postgres"
    database: str = "postgres"


class Runtime(threading.local):
    """The session that the running SQLite statement belongs to, one a thread.

    `settings` is its Settings. `session` is the session object itself for functions that act on it (nextval, set_config,
    advisory locks): proxy/ registers those and knows its type. `transaction_timestamp` and `statement_timestamp` are
    microseconds since the Unix epoch (UTC). `catalog` is the Catalog that the statement was compiled with.
    """

    settings: Settings = Settings()
    session: Any = None
    catalog: Any = None
    transaction_timestamp: int = 0
    statement_timestamp: int = 0


runtime = Runtime()
