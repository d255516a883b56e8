"""What a database file must be after anything that happened to its server."""

import re

from proxy.storage.connection import Connection

_OURS = "name NOT LIKE 'pg_catalog.%' AND name NOT LIKE 'litephant.%' AND name NOT LIKE 'sqlite_%'"


def check(path):
    """Nothing is damaged, and the catalogs describe what SQLite has."""
    sqlite = Connection(path, writable=False)
    try:
        schema = " ".join(sql for (sql,) in sqlite.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
        sqlite.require(frozenset(re.findall(r"\bpg_(\w+)\(", schema)))  # what indexes are made of
        sqlite.unlimited()
        assert sqlite.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert sqlite.execute("PRAGMA foreign_key_check").fetchall() == []
        there = sqlite.execute(f"SELECT name FROM sqlite_schema WHERE type IN ('table', 'index') AND {_OURS} ORDER BY 1")
        described = sqlite.execute("""
            SELECT r.storage FROM "litephant.relation" r JOIN "pg_catalog.pg_class" c ON c.oid = r.oid
            WHERE c.relkind IN ('r', 'm', 'i') AND r.storage IS NOT NULL ORDER BY 1""")
        assert described.fetchall() == there.fetchall()
        for storage, attributes in sqlite.execute("""
            SELECT r.storage, (SELECT count(*) FROM "pg_catalog.pg_attribute" a
                               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
            FROM "litephant.relation" r JOIN "pg_catalog.pg_class" c ON c.oid = r.oid WHERE c.relkind IN ('r', 'm')""").fetchall():
            [(columns,)] = sqlite.execute("SELECT count(*) FROM pragma_table_xinfo(?)", (storage,))
            assert columns == attributes, storage
        for catalog, column in (("pg_attribute", "attrelid"), ("pg_index", "indexrelid"), ("pg_constraint", "conrelid")):
            orphans = sqlite.execute(
                f'SELECT {column} FROM "pg_catalog.{catalog}" WHERE {column} NOT IN (SELECT oid FROM "pg_catalog.pg_class") '
                f"AND {column} >= 16384"
            )
            assert orphans.fetchall() == [], catalog
    finally:
        sqlite.close()
