"""Definitions (CREATE, ALTER, DROP, COMMENT, GRANT, TRUNCATE …) carried out: catalog rows and SQLite schema together.

    execute           the entrance: a DefinePlan to the function that carries it out
    execution         what such a function works with: the writer connection, a snapshot, settings, notices
    names             which schema and which object a name means; generated names; names in SQLite
    table, columns, constraints, heap     CREATE TABLE, from the grammar's tree to specifications to catalog rows
    sqlite_schema     the SQLite side of a relation, printed from the catalog
    alter, rebuild    ALTER TABLE
    index, view, sequence, types, schema, function, database, comment, privileges, truncate     the other objects
    drop, dependency  DROP, and what depends on what

Rule 1: the catalog is the truth. A definition changes catalog rows first; the SQLite side is printed from them.
Rule 2: everything happens in the caller's write transaction, so a definition is undone like any other change.
"""
