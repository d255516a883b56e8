"""What parse analysis asks about one database, read lazily from its catalog tables: translator.catalog.Source.

A CatalogSource is as old as its `version`; the session makes a new one when the version in the file has moved. It reads
through the connection it was given, an object at a time and by index, so a database of a thousand tables costs no more
than the tables that a query names. The system's own objects come from `system.py` and translator.builtins.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from proxy.pg_catalog.object_names import ObjectNames
from proxy.pg_catalog.relations import (
    FIRST_TEMPORARY_OID,
    Statements,
    catalog_version,
    is_bootstrapped,
    storage_name,
)
from proxy.pg_catalog.system import namespace_names, namespaces, system_relation, system_relation_by_oid
from translator import builtins
from translator.catalog import Column, Constraint, Index, Relation
from translator.rows import CastRow, OperatorRow, ProcRow, TypeRow

_ARRAY_SUBSCRIPT_HANDLER = 6179
_SQL_LANGUAGE = 14
_PRIMARY_KEY = "p"

_TYPE_COLUMNS = (
    "oid, typname, typnamespace, typlen, typtype, typcategory, typispreferred, typelem, typarray, typbasetype, "
    "typtypmod, typnotnull, typrelid, typcollation, typdelim, typsubscript"
)
_PROC_COLUMNS = (
    "oid, proname, pronamespace, prokind, proisstrict, proretset, provolatile, prorettype, proargtypes, provariadic, "
    "pronargdefaults, proargdefaults, proallargtypes, proargmodes, proargnames, prosrc, prolang, prosqlbody"
)
_CONSTRAINT_COLUMNS = "oid, conname, contype, conkey, conbin, condeferrable, condeferred, conindid, confrelid, confkey"


class CatalogSource:
    """The user's objects of one database, and the system relations."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection
        self.connection = connection
        self.object_names = ObjectNames()
        self._temporary = is_bootstrapped(connection, "temp")
        self.version = catalog_version(connection)
        self._namespaces: dict[str, int | None] = {}
        self._namespace_names: dict[int, str | None] = {}
        self._relations: dict[int, Relation | None] = {}
        self._relation_oids: dict[tuple[int, str], int | None] = {}
        self._types: dict[int, TypeRow | None] = {}
        self._type_oids: dict[tuple[int, str], int | None] = {}
        self._procs: dict[str, list[ProcRow]] = {}
        self._operators: list[OperatorRow] | None = None

    # ------------------------------------------------------------------ schemas

    def namespace(self, name: str) -> int | None:
        """The OID of a schema; pg_temp is the session's own temporary one."""
        if name in namespaces():
            return namespaces()[name]
        if name not in self._namespaces:
            # Any name in the temp schema's pg_namespace is this session's temporary schema.
            sql = "SELECT oid FROM {} WHERE nspname = ?"
            found = self._first("pg_namespace", sql, (name,))
            if found is None and name == "pg_temp" and self._temporary:
                found = next(iter(self._connection.execute(f"SELECT oid FROM {storage_name('pg_namespace', 'temp')}")), None)
            self._namespaces[name] = None if found is None else found[0]
        return self._namespaces[name]

    def namespace_name(self, oid: int) -> str | None:
        """The name of a schema."""
        if oid in namespace_names():
            return namespace_names()[oid]
        if oid not in self._namespace_names:
            found = self._first_by_oid("pg_namespace", "nspname", oid)
            self._namespace_names[oid] = None if found is None else found[0]
        return self._namespace_names[oid]

    # ------------------------------------------------------------------ relations

    def relation(self, namespace: int, name: str) -> Relation | None:
        """The relation of that name in that schema."""
        if namespace in namespace_names():
            return system_relation(namespace, name)
        key = (namespace, name)
        if key not in self._relation_oids:
            sql = "SELECT oid FROM {} WHERE relname = ? AND relnamespace = ?"
            found = self._first("pg_class", sql, (name, namespace))
            self._relation_oids[key] = None if found is None else found[0]
        oid = self._relation_oids[key]
        return None if oid is None else self.relation_by_oid(oid)

    def relation_by_oid(self, oid: int) -> Relation | None:
        """The relation with that OID."""
        found = system_relation_by_oid(oid)
        if found is not None:
            return found
        if oid not in self._relations:
            self._relations[oid] = self._read_relation(oid)
        return self._relations[oid]

    def _read_relation(self, oid: int) -> Relation | None:
        row = self._first_by_oid("pg_class", "relname, relnamespace, relkind, relpersistence, reltype, reloptions", oid)
        if row is None:
            return None
        name, namespace, kind, persistence, row_type, options = row
        columns = self._read_columns(oid)
        constraints = tuple(self._read_constraints(oid)) if kind in "rm" else ()
        schema = _schema_of(oid)
        ours = next(
            iter(
                self._connection.execute(f'SELECT storage, definition FROM {schema}."litephant.relation" WHERE oid = ?', (oid,))
            ),
            (None, None),
        )
        return Relation(
            oid,
            name,
            self.namespace_name(namespace) or "",
            namespace,
            kind,
            columns,
            storage=ours[0] or "",
            where=schema,
            view=_view_text(oid, kind, ours[1]),
            persistence=persistence,
            row_type=row_type,
            primary_key=next((each.columns for each in constraints if each.kind == _PRIMARY_KEY and not each.deferrable), ()),
            constraints=constraints,
            indexes=tuple(self._read_indexes(oid)) if kind in "rm" else (),
            options=tuple(json.loads(options or "[]")) if kind == "v" else (),
            rowid=_rowid_name(columns),
        )

    def _read_columns(self, relation: int) -> tuple[Column, ...]:
        schema = _schema_of(relation)
        rows = self._connection.execute(
            f"""SELECT a.attname, a.attnum, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, d.adbin,
                       a.attidentity, a.attgenerated, coalesce(s.storage, a.attname), coalesce(s.computed, 0)
                FROM {storage_name("pg_attribute", schema)} AS a
                LEFT JOIN {storage_name("pg_attrdef", schema)} AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                LEFT JOIN {schema}."litephant.attribute" AS s ON s.relid = a.attrelid AND s.attnum = a.attnum
                WHERE a.attrelid = ? AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum""",
            (relation,),
        )
        return tuple(
            Column(
                name, number, type_oid, typmod, collation, bool(not_null), default, identity, generated, storage, bool(computed)
            )
            for name, number, type_oid, typmod, collation, not_null, default, identity, generated, storage, computed in rows
        )

    def _read_constraints(self, relation: int) -> Iterator[Constraint]:
        schema = _schema_of(relation)
        rows = self._connection.execute(
            f"""SELECT {_CONSTRAINT_COLUMNS},
                       EXISTS (SELECT 1 FROM {schema}."litephant.unenforced" AS u WHERE u.oid = c.oid),
                       conenforced,
                       (SELECT indnullsnotdistinct FROM {storage_name("pg_index", schema)} WHERE indexrelid = conindid)
                FROM {storage_name("pg_constraint", schema)} AS c WHERE conrelid = ? ORDER BY conname""",
            (relation,),
        )
        for oid, name, kind, key, text, deferrable, deferred, index, referenced, foreign, unenforced, enforced, nulls in rows:
            yield Constraint(
                oid,
                name,
                kind,
                _vector(key),
                expression=text or "",
                enforced=bool(enforced),
                enforced_by_server=bool(unenforced and enforced),
                deferrable=bool(deferrable),
                deferred=bool(deferred),
                index=index,
                referenced=referenced,
                referenced_columns=_vector(foreign),
                nulls_not_distinct=bool(nulls) and kind == "u",
            )

    def _read_indexes(self, relation: int) -> Iterator[Index]:
        schema = _schema_of(relation)
        rows = self._connection.execute(
            f"""SELECT i.indexrelid, c.relname, i.indisunique, i.indisprimary, i.indkey, i.indnkeyatts, i.indexprs, i.indpred,
                       i.indimmediate
                FROM {storage_name("pg_index", schema)} AS i
                JOIN {storage_name("pg_class", schema)} AS c ON c.oid = i.indexrelid
                WHERE i.indrelid = ? ORDER BY i.indexrelid""",
            (relation,),
        )
        for oid, name, unique, primary, key, key_count, expressions, predicate, immediate in rows:
            columns = _vector(key)[:key_count]
            texts = tuple(json.loads(expressions)) if expressions else ()
            yield Index(oid, name, bool(unique), bool(primary), columns, texts, predicate, bool(immediate))

    def deferrable_keys(self) -> tuple[int, ...]:
        """The tables that have a DEFERRABLE PRIMARY KEY or UNIQUE constraint."""
        condition = "contype IN ('p', 'u') AND condeferrable"
        return tuple(
            oid
            for schema in (("temp", "main") if self._temporary else ("main",))
            for (oid,) in self._connection.execute(
                f"SELECT DISTINCT conrelid FROM {storage_name('pg_constraint', schema)} WHERE {condition} ORDER BY conrelid"
            )
        )

    def relation_by_storage(self, storage: str) -> Relation | None:
        """The table that SQLite calls so."""
        for schema in ("temp", "main") if self._temporary else ("main",):
            sql = f"""SELECT r.oid FROM {schema}."litephant.relation" AS r
                      JOIN {storage_name("pg_class", schema)} AS c ON c.oid = r.oid
                      WHERE r.storage = ? COLLATE NOCASE AND c.relkind IN ('r', 'm')"""
            row = next(iter(self._connection.execute(sql, (storage,))), None)
            if row is not None:
                return self.relation_by_oid(row[0])
        return None

    # ------------------------------------------------------------------ types

    def type_by_name(self, namespace: int, name: str) -> TypeRow | None:
        """The type of that name in that schema."""
        if namespace in namespace_names():
            return next((row for row in builtins.types().values() if (row.namespace, row.name) == (namespace, name)), None)
        key = (namespace, name)
        if key not in self._type_oids:
            sql = "SELECT oid FROM {} WHERE typname = ? AND typnamespace = ?"
            found = self._first("pg_type", sql, (name, namespace))
            self._type_oids[key] = None if found is None else found[0]
        oid = self._type_oids[key]
        return None if oid is None else self.type_by_oid(oid)

    def type_by_oid(self, oid: int) -> TypeRow | None:
        """The type with that OID."""
        if oid not in self._types:
            self._types[oid] = builtins.types().get(oid) or self._read_type(oid)
        return self._types[oid]

    def _read_type(self, oid: int) -> TypeRow | None:
        row = self._first_by_oid("pg_type", _TYPE_COLUMNS, oid)
        if row is None:
            return None
        _, name, namespace, length, kind, category, preferred, element, array, base, base_typmod, *rest = row
        not_null, relation, collation, delimiter, subscript = rest
        return TypeRow(
            oid,
            name,
            namespace,
            length,
            kind,
            category,
            bool(preferred),
            element if subscript == _ARRAY_SUBSCRIPT_HANDLER else 0,
            array,
            base,
            base_typmod,
            bool(not_null),
            relation,
            collation,
            delimiter,
            self._read_labels(oid) if kind == "e" else (),
        )

    def _read_labels(self, oid: int) -> tuple[str, ...]:
        sql = f"SELECT enumlabel FROM {storage_name('pg_enum', _schema_of(oid))} WHERE enumtypid = ? ORDER BY enumsortorder"
        return tuple(label for (label,) in self._connection.execute(sql, (oid,)))

    def domain_constraints(self, oid: int) -> Iterable[tuple[str, str, str]]:
        """The constraints of a domain as (name, kind, PostgreSQL text), in the order in which they are checked."""
        sql = f"SELECT conname, contype, conbin FROM {storage_name('pg_constraint', _schema_of(oid))} WHERE contypid = ? ORDER BY conname"
        return [(name, kind, text or "") for name, kind, text in self._connection.execute(sql, (oid,))]

    def domain_default(self, oid: int) -> str | None:
        """The default of a domain, as PostgreSQL text."""
        sql = f"SELECT typdefaultbin FROM {storage_name('pg_type', _schema_of(oid))} WHERE oid = ?"
        row = next(iter(self._connection.execute(sql, (oid,))), None)
        return None if row is None else row[0]

    # ------------------------------------------------------------------ functions, operators, casts

    def procs(self, name: str) -> Iterable[ProcRow]:
        """The user's functions of that name, in all schemas."""
        if name not in self._procs:
            sql = f"SELECT {_PROC_COLUMNS} FROM {storage_name('pg_proc')} WHERE proname = ?"
            self._procs[name] = [_proc(row) for row in self._connection.execute(sql, (name,))]
        return self._procs[name]

    def proc(self, oid: int) -> ProcRow:
        """The user's function with that OID, which is known to exist."""
        sql = f"SELECT {_PROC_COLUMNS} FROM {storage_name('pg_proc')} WHERE oid = ?"
        return next(_proc(row) for row in self._connection.execute(sql, (oid,)))

    def operators(self, name: str) -> Iterable[OperatorRow]:
        """The user's operators of that name, in all schemas."""
        if self._operators is None:
            columns = "oid, oprname, oprnamespace, oprleft, oprright, oprresult, oprcode, oprcom, oprnegate"
            sql = f"SELECT {columns} FROM {storage_name('pg_operator')}"
            self._operators = [OperatorRow(*row) for row in self._connection.execute(sql)]
        return [row for row in self._operators if row.name == name]

    def casts(self) -> Iterable[CastRow]:
        """The user's casts."""
        columns = "castsource, casttarget, castfunc, castcontext, castmethod"
        return [CastRow(*row) for row in self._connection.execute(f"SELECT {columns} FROM {storage_name('pg_cast')}")]

    # ------------------------------------------------------------------ reading

    def _first(self, catalog: str, sql: str, bindings: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The first row of the query, asked of the temporary objects and then of the others."""
        for schema in ("temp", "main") if self._temporary else ("main",):
            row = next(iter(self._connection.execute(sql.format(storage_name(catalog, schema)), bindings)), None)
            if row is not None:
                return tuple(row)
        return None

    def _first_by_oid(self, catalog: str, columns: str, oid: int) -> tuple[Any, ...] | None:
        schema = _schema_of(oid)
        if schema == "temp" and not self._temporary:
            return None
        sql = f"SELECT {columns} FROM {storage_name(catalog, schema)} WHERE oid = ?"
        row = next(iter(self._connection.execute(sql, (oid,))), None)
        return None if row is None else tuple(row)


def _schema_of(oid: int) -> str:
    return "temp" if oid >= FIRST_TEMPORARY_OID else "main"


def _view_text(oid: int, kind: str, definition: str | None) -> str:
    """The query to put in the place of a relation's name. A materialized view is read like a table."""
    if kind == "v":
        return definition or ""
    if kind == "S":
        # The value lives in the server, not in the file (ddl/sequence.py); log_cnt counts WAL records, of which there are none.
        return (
            "SELECT last_value, 0::pg_catalog.int8 AS log_cnt, is_called "
            f"FROM pg_catalog.pg_get_sequence_data('{oid}'::pg_catalog.oid::pg_catalog.regclass)"
        )
    return ""


def _rowid_name(columns: tuple[Column, ...]) -> str:
    """A name of SQLite's rowid that no column of the table hides."""
    taken = {column.storage_name.lower() for column in columns}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), "")


def _vector(text: str | None) -> tuple[int, ...]:
    return tuple(json.loads(text)) if text else ()


def _proc(row: Any) -> ProcRow:
    oid, name, namespace, kind, strict, returns_set, volatility, result, arguments, variadic, default_count, *rest = row
    defaults, all_types, modes, names, source, language, body = rest
    if language == _SQL_LANGUAGE and not body:
        body = source
    return ProcRow(
        oid,
        name,
        namespace,
        kind,
        bool(strict),
        bool(returns_set),
        volatility,
        result,
        _vector(arguments),
        variadic,
        default_count,
        defaults or "",
        _vector(all_types),
        tuple(json.loads(modes)) if modes else (),
        tuple(json.loads(names)) if names else (),
        source,
        language,
        body or "",
    )
