"""Indexes: CREATE INDEX, and the indexes of PRIMARY KEY and UNIQUE constraints (DefineIndex, indexcmds.c).

Every access method name is kept in the catalog. btree and hash become SQLite indexes; for the others the row is all
there is: a query gives the same answer without them.
"""

from dataclasses import dataclass, field
from typing import Any

from proxy.ddl import sqlite_schema, verify
from proxy.ddl.columns import ConstraintSpec, check_column_type, find_collation
from proxy.ddl.constraints import add_not_null, insert_constraint, refuse_duplicate
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import compile_over, freeze, has_subquery, recompile, record_references
from proxy.ddl.names import (
    choose_relation_name,
    choose_storage,
    key_name_part,
    make_object_name,
    open_relation,
    set_storage,
    strings,
)
from proxy.ddl.options import INDEX, read_options
from proxy.pg_catalog import classes, types
from proxy.pg_catalog.rows import schema_of
from proxy.pg_catalog.types import OperatorClass
from translator import sqlstate
from translator.analyze import typenames
from translator.analyze.target import column_name
from translator.catalog import Column, Relation
from translator.compiler import Expression
from translator.errors import SqlError, unsupported

_DESC, _NULLS_FIRST = 1, 2


@dataclass
class KeyColumn:
    """A column of an index: of the table, or an expression."""

    column: Column | None
    expression: Expression | None = None
    node: Any = None
    operator_class: OperatorClass | None = None
    collation: int = 0
    option: int = 0
    name: str = ""

    @property
    def type_oid(self) -> int:
        """The type of what is indexed."""
        return self.column.type_oid if self.column is not None else self._compiled.type_oid

    @property
    def _compiled(self) -> Expression:
        assert self.expression is not None
        return self.expression


@dataclass
class IndexSpec:
    """An index to be made."""

    keys: list[KeyColumn]
    included: list[Column] = field(default_factory=list)
    name: str | None = None
    method: str = "btree"
    unique: bool = False
    primary: bool = False
    nulls_not_distinct: bool = False
    predicate: Expression | None = None
    predicate_node: Any = None
    deferrable: bool = False
    deferred: bool = False
    options: list[str] | None = None


# ---------------------------------------------------------------------- CREATE INDEX


def create_index(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE INDEX."""
    relation = open_relation(execution, statement["relation"])
    if relation.kind not in "rm":
        message = f'cannot create index on relation "{relation.name}"'
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message, detail=_kind_detail(relation))
    if relation.where not in ("main", "temp"):
        raise SqlError(sqlstate.INSUFFICIENT_PRIVILEGE, f'permission denied: "{relation.name}" is a system catalog')
    verify.not_in_use(execution, relation, "CREATE INDEX")
    name = statement.get("idxname")
    if name is not None and execution.catalog.relation(relation.namespace, name) is not None:
        if statement.get("if_not_exists"):
            execution.note(f'relation "{name}" already exists, skipping', sqlstate.DUPLICATE_TABLE)
            return "CREATE INDEX"
        raise SqlError(sqlstate.DUPLICATE_TABLE, f'relation "{name}" already exists')
    spec = _spec(statement, execution, relation)
    _check_method(spec)
    oid = insert_index(execution, relation, spec)
    if spec.unique:
        verify.no_duplicates(execution, execution.relation(relation.oid), oid)
    sqlite_schema.create_index(execution, execution.relation(relation.oid), oid)
    return "CREATE INDEX"


def _spec(statement: dict[str, Any], execution: Execution, relation: Relation) -> IndexSpec:
    method = statement.get("accessMethod", "btree")
    if method not in types.access_methods() or method == "heap":
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'access method "{method}" does not exist')
    keys = [_key(execution, relation, item["IndexElem"], method) for item in statement["indexParams"]]
    included = [_included(relation, item["IndexElem"]) for item in statement.get("indexIncludingParams", ())]
    spec = IndexSpec(
        keys,
        included,
        statement.get("idxname"),
        method,
        bool(statement.get("unique")),
        nulls_not_distinct=bool(statement.get("nulls_not_distinct")),
        options=read_options(statement.get("options", ()), INDEX.get(method, {})),
    )
    if "whereClause" in statement:
        spec.predicate_node = statement["whereClause"]
        spec.predicate = compile_over(execution, relation, spec.predicate_node, "index predicate")
        _check_immutable(spec.predicate, "index predicate")
    return spec


def _check_method(spec: IndexSpec) -> None:
    if spec.method == "btree":
        return
    if spec.unique:
        message = f'access method "{spec.method}" does not support unique indexes'
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message)
    if len(spec.keys) > 1 and spec.method in ("hash", "spgist"):
        message = f'access method "{spec.method}" does not support multicolumn indexes'
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message)
    if spec.included and spec.method in ("hash", "gin", "brin"):
        message = f'access method "{spec.method}" does not support included columns'
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message)


def _key(execution: Execution, relation: Relation, element: dict[str, Any], method: str) -> KeyColumn:
    if "name" in element:
        name = element["name"]
        column = next((each for each in relation.columns if each.name == name), None)
        if column is None:
            raise SqlError(sqlstate.UNDEFINED_COLUMN, f'column "{name}" does not exist')
        key = KeyColumn(column, collation=column.collation, name=name)
    else:
        compiled = compile_over(execution, relation, element["expr"], "index expression")
        _check_immutable(compiled, "index expression")
        key = KeyColumn(
            None, compiled, element["expr"], collation=_collation(execution, compiled), name=_expression_name(element["expr"])
        )
        check_column_type(execution, key.name, compiled.type_oid)
        if "ColumnRef" in element["expr"] and compiled.columns:  # parentheses around a column are no expression
            column = next(each for each in relation.columns if each.attnum == compiled.columns[0])
            key = KeyColumn(column, collation=column.collation, name=column.name)
    if "indexcolname" in element:
        key.name = element["indexcolname"]
    if "collation" in element:
        wanted = strings(element["collation"])[-1]
        collation = find_collation(execution, wanted)
        if collation is None:
            raise SqlError(sqlstate.UNDEFINED_OBJECT, f'collation "{wanted}" for encoding "UTF8" does not exist')
        if not key.collation:
            message = f"collations are not supported by type {typenames.display(execution.catalog, key.type_oid)}"
            raise SqlError(sqlstate.DATATYPE_MISMATCH, message)
        key.collation = collation
    key.operator_class = operator_class(execution, key, strings(element.get("opclass", ())), method)
    key.option = _option(element, method)
    return key


def _collation(execution: Execution, compiled: Expression) -> int:
    """The expression's collation, which is that of its type unless COLLATE says otherwise."""
    return compiled.collation or execution.catalog.type(compiled.type_oid).collation


def _option(element: dict[str, Any], method: str) -> int:
    ordering = element.get("ordering", "SORTBY_DEFAULT")
    nulls = element.get("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    if method != "btree":
        if ordering != "SORTBY_DEFAULT":
            message = f'access method "{method}" does not support ASC/DESC options'
            raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message)
        if nulls != "SORTBY_NULLS_DEFAULT":
            message = f'access method "{method}" does not support NULLS FIRST/LAST options'
            raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message)
        return 0
    descending = ordering == "SORTBY_DESC"
    first = descending if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST"
    return (_DESC if descending else 0) | (_NULLS_FIRST if first else 0)


def _included(relation: Relation, element: dict[str, Any]) -> Column:
    if "name" not in element:
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "expressions are not supported in included columns")
    for column in relation.columns:
        if column.name == element["name"]:
            return column
    raise SqlError(sqlstate.UNDEFINED_COLUMN, f'column "{element["name"]}" does not exist')


def operator_class(execution: Execution, key: KeyColumn, names: list[str], method: str) -> OperatorClass:
    method_oid = types.access_methods()[method]
    display = typenames.display(execution.catalog, key.type_oid)
    if not names:
        found = types.default_operator_class(execution.catalog, key.type_oid, method_oid)
        if found is None:
            raise SqlError(
                sqlstate.UNDEFINED_OBJECT,
                f'data type {display} has no default operator class for access method "{method}"',
                hint="You must specify an operator class for the index or define a default operator class for the data type.",
            )
        return found
    named = [each for each in types.operator_classes().values() if (each.name, each.method) == (names[-1], method_oid)]
    if not named:
        message = f'operator class "{".".join(names)}" does not exist for access method "{method}"'
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    base = execution.catalog.base_type(key.type_oid)
    accepted = named[0].input_type
    cast = execution.catalog.cast(base, accepted)
    coercible = base == accepted or (cast is not None and cast.method == "b") or execution.catalog.type(accepted).kind == "p"
    if not coercible:
        message = f'operator class "{".".join(names)}" does not accept data type {display}'
        raise SqlError(sqlstate.DATATYPE_MISMATCH, message)
    return named[0]


def _check_immutable(compiled: Expression, where: str) -> None:
    if compiled.volatility != "i":
        message = f"functions in {where} must be marked IMMUTABLE"
        raise SqlError(sqlstate.INVALID_OBJECT_DEFINITION, message)


def _expression_name(node: dict[str, Any]) -> str:
    """What a column of an expression is called: as a result column would be, or `expr` (FigureIndexColname)."""
    name = column_name(node)
    return "expr" if name == "?column?" else name


def _kind_detail(relation: Relation) -> str:
    names = {"v": "views", "S": "sequences", "i": "indexes", "c": "composite types"}
    return f"This operation is not supported for {names.get(relation.kind, 'relations of this kind')}."


# ---------------------------------------------------------------------- rows


def insert_index(execution: Execution, relation: Relation, spec: IndexSpec, constraint: ConstraintSpec | None = None) -> int:
    """Write the rows of an index, and of the constraint that it carries out; returns the index's OID."""
    _refuse_virtual(relation, spec, constraint)
    schema = schema_of(relation.oid)
    oid = execution.new_oid(schema)
    name = spec.name or _choose_name(execution, relation, spec, constraint)
    if constraint is not None:
        refuse_duplicate(execution, relation, name)
    _insert_class(execution, oid, name, relation, spec)
    _insert_attributes(execution, oid, spec)
    _insert_pg_index(execution, oid, relation, spec)
    attnums = tuple(key.column.attnum for key in spec.keys if key.column is not None)
    is_rowid = spec.primary and not spec.deferrable and sqlite_schema.may_be_rowid(execution, relation, attnums)
    compiled = [each for each in (*(key.expression for key in spec.keys), spec.predicate) if each is not None]
    physical = sqlite_schema.is_physical(spec.method) and not is_rowid
    if any(has_subquery(recompile(execution, relation, each.text, "index expression")) for each in compiled):
        if spec.unique:
            raise unsupported("a unique index on this expression")
        physical = False  # SQLite has no place for a subquery in an index; the query does without
    storage = choose_storage(execution, schema, relation.namespace, name) if physical else None
    set_storage(execution, oid, storage)
    if constraint is not None:
        _insert_constraint(execution, oid, name, relation, spec, constraint)
    else:
        _depend_on_columns(execution, oid, relation, spec)
    execution.update("pg_class", relation.oid, {"relhasindex": True}, oid=relation.oid)
    execution.changed()
    return oid


def _refuse_virtual(relation: Relation, spec: IndexSpec, constraint: ConstraintSpec | None) -> None:
    """What is not stored cannot be indexed (DefineIndex)."""
    virtual = {column.attnum for column in relation.columns if column.generated == "v"}
    used = {column.attnum for column in (*(key.column for key in spec.keys), *spec.included) if column is not None}
    for expression in (*(key.expression for key in spec.keys), spec.predicate):
        used |= set(expression.columns) if expression is not None else set()
    if virtual & used:
        words = "primary keys" if spec.primary else "indexes" if constraint is None else "unique constraints"
        message = f"{words} on virtual generated columns are not supported"
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message)


def _choose_name(execution: Execution, relation: Relation, spec: IndexSpec, constraint: ConstraintSpec | None) -> str:
    """t_pkey, t_a_key, t_a_idx (ChooseIndexName)."""
    part = key_name_part(name for name in _attribute_names(spec))
    if spec.primary:
        return choose_relation_name(execution, relation.name, None, "pkey", relation.namespace, for_constraint=True)
    if constraint is not None:
        return choose_relation_name(execution, relation.name, part, "key", relation.namespace, for_constraint=True)
    return choose_relation_name(execution, relation.name, part, "idx", relation.namespace)


def _attribute_names(spec: IndexSpec) -> list[str]:
    """The names of an index's own columns, which must differ (ChooseIndexColumnNames)."""
    names: list[str] = []
    for name in [key.name for key in spec.keys] + [column.name for column in spec.included]:
        candidate, number = name, 0
        while candidate in names:
            number += 1
            suffix = str(number)
            candidate = make_object_name(name, None, None)[: 63 - len(suffix)] + suffix
        names.append(candidate)
    return names


def _insert_class(execution: Execution, oid: int, name: str, relation: Relation, spec: IndexSpec) -> None:
    execution.insert(
        "pg_class",
        oid,
        oid=oid,
        relname=name,
        relnamespace=relation.namespace,
        relowner=execution.owner,
        relam=types.access_methods()[spec.method],
        relfilenode=oid,
        relpages=1 if spec.method == "btree" else 0,
        reltuples=0,
        relpersistence=relation.persistence,
        relkind="i",
        relnatts=len(spec.keys) + len(spec.included),
        reloptions=spec.options,
    )


def _insert_attributes(execution: Execution, oid: int, spec: IndexSpec) -> None:
    sources: list[tuple[int, int, int]] = []  # type, typmod, collation
    for key in spec.keys:
        typmod = key.column.typmod if key.column is not None else -1
        stored = key.operator_class.key_type if key.operator_class is not None else 0
        if stored and execution.catalog.type(stored).kind != "p":
            sources.append((stored, -1, key.collation))
        else:
            sources.append((key.type_oid, typmod, key.collation))
    sources.extend((column.type_oid, column.typmod, column.collation) for column in spec.included)
    for number, ((type_oid, typmod, collation), name) in enumerate(zip(sources, _attribute_names(spec), strict=True), 1):
        facts = types.physical(execution.connection, type_oid)
        execution.insert(
            "pg_attribute",
            oid,
            attrelid=oid,
            attname=name,
            atttypid=type_oid,
            attlen=facts.length,
            attnum=number,
            atttypmod=typmod,
            attbyval=facts.by_value,
            attalign=facts.alignment,
            attstorage=facts.storage,
            attcollation=collation,
        )


def _insert_pg_index(execution: Execution, oid: int, relation: Relation, spec: IndexSpec) -> None:
    key_numbers = [0 if key.column is None else key.column.attnum for key in spec.keys]
    texts = [freeze(execution, key.expression.text) for key in spec.keys if key.expression is not None]
    execution.insert(
        "pg_index",
        oid,
        indexrelid=oid,
        indrelid=relation.oid,
        indnatts=len(spec.keys) + len(spec.included),
        indnkeyatts=len(spec.keys),
        indisunique=spec.unique,
        indnullsnotdistinct=spec.nulls_not_distinct,
        indisprimary=spec.primary,
        indimmediate=not spec.deferrable,
        indkey=[*key_numbers, *(column.attnum for column in spec.included)],
        indcollation=[*(key.collation for key in spec.keys), *(0 for _ in spec.included)],
        indclass=[key.operator_class.oid if key.operator_class else 0 for key in spec.keys],
        indoption=[key.option for key in spec.keys],
        indexprs=texts or None,
        indpred=None if spec.predicate is None else freeze(execution, spec.predicate.text),
    )


def _insert_constraint(
    execution: Execution, oid: int, name: str, relation: Relation, spec: IndexSpec, constraint: ConstraintSpec
) -> None:
    attnums = [key.column.attnum for key in spec.keys if key.column is not None]
    constraint_oid = insert_constraint(
        execution,
        relation,
        constraint.kind,
        name,
        conkey=attnums,
        conindid=oid,
        connoinherit=True,
        condeferrable=spec.deferrable,
        condeferred=spec.deferred,
    )
    execution.depend(Address(classes.PG_CLASS, oid), Address(classes.PG_CONSTRAINT, constraint_oid), "i")


def _depend_on_columns(execution: Execution, oid: int, relation: Relation, spec: IndexSpec) -> None:
    address = Address(classes.PG_CLASS, oid)
    attnums = [key.column.attnum for key in spec.keys if key.column is not None]
    attnums.extend(column.attnum for column in spec.included)
    compiled = [key.expression for key in spec.keys if key.expression is not None]
    if spec.predicate is not None:
        compiled.append(spec.predicate)
    attnums.extend(attnum for each in compiled for attnum in each.columns)
    for attnum in attnums:
        execution.depend(address, Address(classes.PG_CLASS, relation.oid, attnum), "a")
    if not attnums:
        execution.depend(address, Address(classes.PG_CLASS, relation.oid), "a")
    for key in spec.keys:
        if key.expression is not None:
            record_references(execution, address, key.expression.text, key.node)


# ---------------------------------------------------------------------- PRIMARY KEY and UNIQUE


def add_key(execution: Execution, relation: Relation, spec: ConstraintSpec) -> int:
    """Write a PRIMARY KEY or UNIQUE constraint with its index; returns the index's OID (transformIndexConstraint)."""
    node = spec.node
    primary = spec.kind == "p"
    if node.get("without_overlaps"):
        raise unsupported("WITHOUT OVERLAPS", spec.location)
    word = "primary key" if primary else "unique"
    columns: list[Column] = []
    for name in spec.columns:
        column = next((each for each in relation.columns if each.name == name), None)
        if column is None:
            message = f'column "{name}" named in key does not exist'
            raise SqlError(sqlstate.UNDEFINED_COLUMN, message, location=spec.location)
        if column in columns:
            message = f'column "{name}" appears twice in {word} constraint'
            raise SqlError(sqlstate.DUPLICATE_COLUMN, message, location=spec.location)
        columns.append(column)
    keys = [KeyColumn(column, collation=column.collation, name=column.name) for column in columns]
    for key in keys:
        key.operator_class = operator_class(execution, key, [], "btree")
    included = [_included(relation, {"name": name}) for name in strings(node.get("including", ()))]
    index = IndexSpec(
        keys,
        included,
        spec.name,
        unique=True,
        primary=primary,
        nulls_not_distinct=bool(node.get("nulls_not_distinct")),
        deferrable=spec.deferrable,
        deferred=spec.deferred,
        options=read_options(node.get("options", ()), INDEX["btree"]),
    )
    if spec.name is not None and execution.catalog.relation(relation.namespace, spec.name) is not None:
        raise SqlError(sqlstate.DUPLICATE_TABLE, f'relation "{spec.name}" already exists')
    if primary:
        for column in columns:
            if not any(each.kind == "n" and each.columns == (column.attnum,) for each in relation.constraints):
                add_not_null(execution, relation, column)
        relation = execution.relation(relation.oid)
    return insert_index(execution, relation, index, spec)
