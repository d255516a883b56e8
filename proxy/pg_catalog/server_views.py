"""The schema `litephant`: what the server tells of itself beyond PostgreSQL's statistics views.

Its relations are found by name like all others, but no catalog lists them: a row in pg_namespace or pg_class would make
pg_dump, psql and every schema browser take them for the user's. Here is what they look like; the rows come from
session/server_rows.py.
"""

from functools import cache
from typing import Final

from translator import oids
from translator.catalog import Column, Relation

SCHEMA: Final = "litephant"
NAMESPACE: Final = 16_000  # below FirstNormalObjectId, above what PostgreSQL's initdb gives out

_COLUMNS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "writer_queue": (
        ("datname", oids.NAME),
        ("position", oids.INT4),  # 0: who writes now
        ("pid", oids.INT4),
        ("state", oids.TEXT),
        ("since", oids.TIMESTAMPTZ),
        ("query", oids.TEXT),
    ),
    "plan_cache": (
        ("datname", oids.NAME),
        ("query", oids.TEXT),
        ("parameters", oids.INT4),
        ("steps", oids.INT4),
        ("slow", oids.BOOL),  # runs in a thread from the start
        ("current", oids.BOOL),  # for the catalog as it is now
    ),
    "checkpoints": (
        ("datname", oids.NAME),
        ("checkpoints", oids.INT8),
        ("total_time", oids.FLOAT8),  # milliseconds
        ("wal_pages", oids.INT8),  # in the WAL, after the last commit
    ),
    "statements": (
        *(("usename", oids.NAME), ("datname", oids.NAME), ("queryid", oids.INT8), ("query", oids.TEXT)),
        ("calls", oids.INT8),
        *((f"{name}_exec_time", oids.FLOAT8) for name in ("total", "min", "max", "mean", "stddev", "p50", "p99")),
        ("rows", oids.INT8),
        ("stats_since", oids.TIMESTAMPTZ),
    ),
    "statements_info": (("dealloc", oids.INT8), ("stats_reset", oids.TIMESTAMPTZ)),
}
NAMES: Final = tuple(_COLUMNS)


def server_view(name: str) -> Relation | None:
    """The relation of that name in the schema."""
    return server_view_by_oid(NAMESPACE + 1 + NAMES.index(name)) if name in _COLUMNS else None


@cache
def server_view_by_oid(oid: int) -> Relation | None:
    """The relation with that OID."""
    place = oid - NAMESPACE - 1
    if not 0 <= place < len(NAMES):
        return None
    name = NAMES[place]
    columns = tuple(
        Column(column, number, type_oid, storage_name=column) for number, (column, type_oid) in enumerate(_COLUMNS[name], 1)
    )
    return Relation(oid, name, SCHEMA, NAMESPACE, "r", columns, storage=storage_name(name), where="live")


def storage_name(name: str) -> str:
    """What SQLite calls the relation."""
    return f"{SCHEMA}.live.{name}"


def column_names(name: str) -> tuple[str, ...]:
    return tuple(column for column, _ in _COLUMNS[name])
