"""What search_objects and health_check ask: plain SQL over the catalogs, so any PostgreSQL answers it.

A query of search_objects has one parameter, a pattern of LIKE that is compared with the name, or with schema.name if it has a dot. `names`
gives names; `summary` what one wants to know of many; `full` the definition.
"""

from __future__ import annotations

from typing import Final

_USERS: Final = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
_COMMENT: Final = "obj_description(c.oid, 'pg_class') AS comment"
_COLUMNS: Final = """(SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ''), ', ' ORDER BY a.attnum)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns"""
_CONSTRAINTS: Final = """(SELECT string_agg(conname || ' ' || pg_get_constraintdef(k.oid), '; ' ORDER BY conname)
    FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'n') AS constraints"""
_INDEXES: Final = """(SELECT string_agg(pg_get_indexdef(i.indexrelid), '; ' ORDER BY i.indexrelid)
    FROM pg_index i WHERE i.indrelid = c.oid) AS indexes"""
_COUNT: Final = (
    "(SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns"
)


def _matching(name: str) -> str:
    return f"(CASE WHEN $1 LIKE '%.%' THEN n.nspname || '.' || {name} ELSE {name}::text END) LIKE $1"


def _relations(kinds: str, summary: str, full: str) -> dict[str, str]:
    """Queries over pg_class for the three levels of detail."""
    source = (
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind IN ({kinds}) AND {_USERS} AND {_matching('c.relname')} ORDER BY 1"
    )
    name = "n.nspname || '.' || c.relname AS name"
    return {
        "names": f"SELECT {name} {source}",
        "summary": f"SELECT {name}, {summary} {source}",
        "full": f"SELECT {name}, {full} {source}",
    }


def _others(source: str, name: str, summary: str, full: str, shown: str = "") -> dict[str, str]:
    """The same over another catalog; `source` gives n (pg_namespace), `shown` the name within the schema."""
    rest = f"FROM {source} WHERE {_USERS} AND {_matching(name)} ORDER BY 1"
    head = f"n.nspname || '.' || {shown or name} AS name"
    return {
        "names": f"SELECT {head} {rest}",
        "summary": f"SELECT {head}, {summary} {rest}",
        "full": f"SELECT {head}, {full} {rest}",
    }


_SCHEMAS: Final = f"FROM pg_namespace n WHERE {_USERS} AND n.nspname LIKE $1 ORDER BY 1"
_ENUM: Final = (
    "(SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels"
)

_QUERIES: Final[dict[str, dict[str, str]]] = {
    "schema": dict.fromkeys(
        ("names", "summary", "full"),
        f"SELECT n.nspname AS name, (SELECT count(*) FROM pg_class c WHERE c.relnamespace = n.oid) AS relations {_SCHEMAS}",
    ),
    "table": _relations(
        "'r', 'p'", f"{_COUNT}, c.reltuples::bigint AS rows, {_COMMENT}", f"{_COLUMNS}, {_CONSTRAINTS}, {_INDEXES}, {_COMMENT}"
    ),
    "view": _relations("'v', 'm'", f"{_COUNT}, {_COMMENT}", f"{_COLUMNS}, pg_get_viewdef(c.oid) AS definition, {_COMMENT}"),
    "column": _others(
        "pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_namespace n ON n.oid = c.relnamespace",
        "a.attname",
        "format_type(a.atttypid, a.atttypmod) AS type",
        "format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,"
        " (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)"
        ' AS "default", col_description(c.oid, a.attnum) AS comment',
        shown="c.relname || '.' || a.attname",
    ),
    "index": _others(
        "pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace",
        "c.relname",
        'i.indrelid::regclass::text AS "table", i.indisunique AS "unique"',
        "pg_get_indexdef(i.indexrelid) AS definition",
    ),
    "sequence": _others(
        "pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace",
        "c.relname",
        "format_type(s.seqtypid, NULL) AS type",
        "format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS min, s.seqmax AS max",
    ),
    "function": _others(
        "pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace",
        "p.proname",
        "pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result",
        "pg_get_functiondef(p.oid) AS definition",
    ),
    "type": _others(
        "pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND t.typtype IN ('e', 'd', 'r', 'm')",
        "t.typname",
        f"t.typtype AS kind, {_ENUM}",
        f"t.typtype AS kind, {_ENUM}, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base",
    ),
}

HEALTH: Final = {
    "database": "SELECT current_database() AS name, pg_database_size(current_database()) AS bytes, version()",
    "sessions": "SELECT datname AS database, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 1, 2",
    "waiting": "SELECT pid, application_name, wait_event, left(query, 200) AS query, now() - query_start AS since"
    " FROM pg_stat_activity WHERE wait_event_type = 'Lock' ORDER BY query_start",
    "long_transactions": "SELECT pid, application_name, state, now() - xact_start AS age FROM pg_stat_activity"
    " WHERE xact_start < now() - interval '1 minute' ORDER BY xact_start",
    "transactions": "SELECT xact_commit, xact_rollback FROM pg_stat_database WHERE datname = current_database()",
}


def query(type: str, detail: str) -> str:
    """The query for objects of a type."""
    return _QUERIES[type][detail]
