"""The schema of a database as rows that can be compared: what two servers made of the same commands.

Names that a server makes up for itself (OIDs, not-null constraints' places) are left out; texts are those that PostgreSQL prints.
"""

from collections.abc import Iterable

import psycopg

from tests.harness.client import Address

_USER_SCHEMA = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
_QUERIES = {
    "relations": f"""
        SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.reloptions, obj_description(c.oid, 'pg_class')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_USER_SCHEMA} AND c.relkind <> 'i' ORDER BY 1, 2""",
    "columns": f"""
        SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               a.attgenerated, pg_get_expr(d.adbin, d.adrelid), l.collname, col_description(c.oid, a.attnum),
               pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE {_USER_SCHEMA} AND c.relkind IN ('r', 'v', 'm', 'c') ORDER BY 1, 2, a.attnum""",
    "constraints": f"""
        SELECT n.nspname, o.conrelid::regclass::text, o.conname, pg_get_constraintdef(o.oid), o.convalidated,
               obj_description(o.oid, 'pg_constraint')
        FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace WHERE {_USER_SCHEMA} ORDER BY 1, 2, 3""",
    "indexes": f"""
        SELECT n.nspname, c.relname, pg_get_indexdef(c.oid), i.indisunique, i.indisprimary, i.indisvalid, c.reloptions,
               obj_description(c.oid, 'pg_class')
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_USER_SCHEMA} ORDER BY 1, 2""",
    "sequences": "SELECT * FROM pg_sequences ORDER BY schemaname, sequencename",
    "enums": "SELECT enumtypid::regtype::text, enumlabel FROM pg_enum ORDER BY enumtypid::regtype::text, enumsortorder",
    "views": f"""
        SELECT n.nspname, c.relname, pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_USER_SCHEMA} AND c.relkind IN ('v', 'm') ORDER BY 1, 2""",
}

Schema = dict[str, list[tuple[object, ...]]]


def schema_of(database: Address) -> Schema:
    """Of every kind of object, the rows that describe it."""
    with psycopg.connect(database.dsn) as connection:
        return {kind: connection.execute(query).fetchall() for kind, query in _QUERIES.items()}


def rows_of(database: Address, tables: Iterable[str]) -> dict[str, list[str]]:
    """The rows of tables, as text and sorted."""
    with psycopg.connect(database.dsn) as connection:
        return {table: sorted(text for (text,) in connection.execute(f"SELECT t::text FROM {table} AS t")) for table in tables}
