"""ALTER … RENAME and ALTER … SET SCHEMA (RenameRelation, renameatt, AlterObjectNamespace).

The SQLite name of a table follows its name and schema, so that other tools find it; SQLite itself changes the foreign keys
that refer to it. An index keeps its SQLite name. Views are text, and are printed again by view_text.py.
"""

from typing import Any

from proxy.ddl import sqlite_schema, view_text
from proxy.ddl.execution import Execution
from proxy.ddl.names import (
    choose_storage,
    column_storage,
    find_relation,
    forbid_system,
    namespace_oid,
    quote,
    set_storage,
    stored_definition,
    strings,
    undefined_relation,
)
from proxy.ddl.types import open_type
from proxy.pg_catalog import classes
from proxy.pg_catalog.rows import schema_of
from translator import sqlstate
from translator.analyze import typenames
from translator.catalog import Column, Relation
from translator.errors import SqlError, unsupported

_RELATIONS = {  # renameType: the relkinds it may be said to, and its words
    "OBJECT_TABLE": ("", "TABLE", "table"),
    "OBJECT_VIEW": ("v", "VIEW", "view"),
    "OBJECT_MATVIEW": ("m", "MATERIALIZED VIEW", "materialized view"),
    "OBJECT_SEQUENCE": ("S", "SEQUENCE", "sequence"),
    "OBJECT_INDEX": ("", "INDEX", "index"),
}


def rename(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER … RENAME."""
    kind = statement["renameType"]
    if kind in _RELATIONS:
        return _rename_relation(statement, execution, kind)
    match kind:
        case "OBJECT_COLUMN":
            return _rename_column(statement, execution)
        case "OBJECT_ATTRIBUTE":
            _rename_column(statement, execution)
            return "ALTER TYPE"
        case "OBJECT_TABCONSTRAINT":
            return _rename_constraint(statement, execution)
        case "OBJECT_DOMCONSTRAINT":
            return _rename_domain_constraint(statement, execution)
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            _rename_type(statement, execution)
            return "ALTER TYPE" if kind == "OBJECT_TYPE" else "ALTER DOMAIN"
        case "OBJECT_SCHEMA":
            from proxy.ddl.schema import rename_schema

            rename_schema(execution, statement["subname"], statement["newname"])
            return "ALTER SCHEMA"
        case "OBJECT_ROLE":
            from proxy.ddl.roles import rename_role

            return rename_role(execution, statement["subname"], statement["newname"])
        case kind if kind in _ROUTINES:
            from proxy.ddl.function import rename_function

            return rename_function(execution, statement)
    raise unsupported(f"ALTER {kind.removeprefix('OBJECT_').replace('_', ' ')} RENAME")


# ---------------------------------------------------------------------- relations


def _target(statement: dict[str, Any], execution: Execution) -> Relation | None:
    range_var = statement["relation"]
    relation = find_relation(execution, range_var)
    if relation is None:
        if not statement.get("missing_ok"):
            raise undefined_relation(range_var)
        execution.note(f'relation "{range_var["relname"]}" does not exist, skipping')
        return None
    forbid_system(relation)
    return relation


def _check_said_kind(relation: Relation, kind: str) -> None:
    kinds, _, word = _RELATIONS[kind]
    if kinds and relation.kind not in kinds:
        article = "an" if word[0] in "aeiou" else "a"
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{relation.name}" is not {article} {word}')
    if relation.kind == "c":
        message = f'"{relation.name}" is a composite type'
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message, hint="Use ALTER TYPE instead.")


def _rename_relation(statement: dict[str, Any], execution: Execution, kind: str) -> str:
    tag = f"ALTER {_RELATIONS[kind][1]}"
    relation = _target(statement, execution)
    if relation is not None:
        _check_said_kind(relation, kind)
        rename_to(execution, relation, statement["newname"])
    return tag


def rename_to(execution: Execution, relation: Relation, name: str) -> None:
    """Give a relation another name, and its row type and constraint with it (RenameRelationInternal)."""
    if execution.catalog.relation(relation.namespace, name) is not None:
        raise SqlError(sqlstate.DUPLICATE_TABLE, f'relation "{name}" already exists')
    with view_text.kept(execution, classes.PG_CLASS, relation.oid, relation.name):
        if relation.row_type:
            _rename_row_type(execution, relation.row_type, relation.namespace, name)
        execution.update("pg_class", relation.oid, {"relname": name}, oid=relation.oid)
        execution.update("pg_constraint", relation.oid, {"conname": name}, conindid=relation.oid, contype="p")
        execution.update("pg_constraint", relation.oid, {"conname": name}, conindid=relation.oid, contype="u")
    if relation.kind == "S":
        from proxy.ddl.sequence import forget_value

        forget_value(execution, relation.oid)
    if relation.kind in "rm":
        move_storage(execution, execution.relation(relation.oid))


def _rename_row_type(execution: Execution, oid: int, namespace: int, name: str) -> None:
    from proxy.ddl.heap import array_type_name

    if execution.catalog.type_by_name(namespace, name) is not None:
        raise SqlError(sqlstate.DUPLICATE_OBJECT, f'type "{name}" already exists')
    execution.update("pg_type", oid, {"typname": name}, oid=oid)
    array = execution.catalog.type(oid).array
    execution.changed()
    execution.update("pg_type", oid, {"typname": array_type_name(execution, name, namespace)}, oid=array)
    execution.changed()


def move_storage(execution: Execution, relation: Relation) -> None:
    """Give the SQLite table the name that follows from the relation's name and schema."""
    schema = schema_of(relation.oid)
    storage = choose_storage(execution, schema, relation.namespace, relation.name)
    run = execution.connection.execute
    run(f"ALTER TABLE {schema}.{quote(relation.storage)} RENAME TO {quote(storage)}")
    set_storage(execution, relation.oid, storage, stored_definition(execution, relation.oid))
    execution.changed()


# ---------------------------------------------------------------------- columns


def _rename_column(statement: dict[str, Any], execution: Execution) -> str:
    tag = {"OBJECT_VIEW": "ALTER VIEW", "OBJECT_MATVIEW": "ALTER MATERIALIZED VIEW"}.get(
        statement.get("relationType", ""), "ALTER TABLE"
    )
    relation = _target(statement, execution)
    if relation is None:
        return tag
    old, new = statement["subname"], statement["newname"]
    column = next((each for each in relation.columns if each.name == old), None)
    if column is None:
        raise SqlError(sqlstate.UNDEFINED_COLUMN, f'column "{old}" does not exist')
    if any(each.name == new for each in relation.columns):
        raise SqlError(sqlstate.DUPLICATE_COLUMN, f'column "{new}" of relation "{relation.name}" already exists')
    with view_text.kept(execution, classes.PG_CLASS, relation.oid):
        _rename_column_to(execution, relation, column, new)
    return tag


def _rename_column_to(execution: Execution, relation: Relation, column: Column, new: str) -> None:
    old = column.name
    execution.update("pg_attribute", relation.oid, {"attname": new}, attrelid=relation.oid, attnum=column.attnum)
    _rename_index_columns(execution, relation, column.attnum, old, new)
    _rename_in_expressions(execution, relation, old, new)
    if relation.kind in "rm":
        others = [each.storage_name for each in relation.columns if each is not column]
        storage = column_storage(new, others)
        table = f"{relation.where}.{quote(relation.storage)}"
        execution.connection.execute(f"ALTER TABLE {table} RENAME COLUMN {quote(column.storage_name)} TO {quote(storage)}")
        _set_column_storage(execution, relation, column.attnum, new, storage, computed=column.computed)


def _set_column_storage(
    execution: Execution, relation: Relation, attnum: int, name: str, storage: str, *, computed: bool
) -> None:
    table = f'{schema_of(relation.oid)}."litephant.attribute"'
    if storage == name and not computed:
        execution.connection.execute(f"DELETE FROM {table} WHERE relid = ? AND attnum = ?", (relation.oid, attnum))
    else:
        row = (relation.oid, attnum, storage, int(computed))
        execution.connection.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", row)


def _rename_index_columns(execution: Execution, relation: Relation, attnum: int, old: str, new: str) -> None:
    """The columns of indexes are called like those of the table, until somebody renames them."""
    for index in relation.indexes:
        for place, number in enumerate(index.columns, 1):
            if number == attnum:
                where = {"attrelid": index.oid, "attnum": place, "attname": old}
                execution.update("pg_attribute", relation.oid, {"attname": new}, **where)


def _rename_in_expressions(execution: Execution, relation: Relation, old: str, new: str) -> None:
    """The texts of CHECKs, generation expressions, index expressions and predicates name the column."""
    import json

    oid = relation.oid

    def renamed(text: str) -> str:
        return view_text.rename_in_expression(text, relation.name, old, new)

    for constraint, text in execution.select("pg_constraint", oid, "oid", "conbin", conrelid=oid, contype="c"):
        execution.update("pg_constraint", oid, {"conbin": renamed(text)}, oid=constraint)
    for default, number, text in execution.select("pg_attrdef", oid, "oid", "adnum", "adbin", adrelid=oid):
        if any(each.attnum == number and each.generated for each in relation.columns):
            execution.update("pg_attrdef", oid, {"adbin": renamed(text)}, oid=default)
    for index, texts, predicate in execution.select("pg_index", oid, "indexrelid", "indexprs", "indpred", indrelid=oid):
        changes: dict[str, Any] = {}
        if texts:
            changes["indexprs"] = [renamed(text) for text in json.loads(texts)]
        if predicate:
            changes["indpred"] = renamed(predicate)
        if changes:
            execution.update("pg_index", oid, changes, indexrelid=index)


# ---------------------------------------------------------------------- constraints and types


def _rename_constraint(statement: dict[str, Any], execution: Execution) -> str:
    relation = _target(statement, execution)
    if relation is None:
        return "ALTER TABLE"
    old, new = statement["subname"], statement["newname"]
    found = next((each for each in relation.constraints if each.name == old), None)
    if found is None:
        message = f'constraint "{old}" for table "{relation.name}" does not exist'
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    if any(each.name == new for each in relation.constraints):
        message = f'constraint "{new}" for relation "{relation.name}" already exists'
        raise SqlError(sqlstate.DUPLICATE_OBJECT, message)
    if found.kind in "pu":
        rename_to(execution, execution.relation(found.index), new)
        return "ALTER TABLE"
    execution.update("pg_constraint", relation.oid, {"conname": new}, oid=found.oid)
    execution.changed()
    sqlite_schema.rewrite_table(execution, execution.relation(relation.oid))
    return "ALTER TABLE"


def _rename_domain_constraint(statement: dict[str, Any], execution: Execution) -> str:
    names = strings(statement["object"]["List"]["items"])
    row = open_type(execution, names)
    old, new = statement["subname"], statement["newname"]
    found = execution.select("pg_constraint", row.oid, "oid", contypid=row.oid, conname=old)
    if not found:
        message = f'constraint "{old}" for domain {typenames.display(execution.catalog, row.oid)} does not exist'
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    execution.update("pg_constraint", row.oid, {"conname": new}, oid=found[0][0])
    return "ALTER DOMAIN"


def _rename_type(statement: dict[str, Any], execution: Execution) -> None:
    row = open_type(execution, strings(statement["object"]["List"]["items"]))
    shown = typenames.display(execution.catalog, row.oid)
    if statement["renameType"] == "OBJECT_DOMAIN" and row.kind != "d":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f"{shown} is not a domain")
    if row.relation:
        relation = execution.relation(row.relation)
        if relation.kind != "c":
            message = f"{shown} is a table's row type"
            raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message, hint="Use ALTER TABLE instead.")
        rename_to(execution, relation, statement["newname"])
        return
    if row.element:
        message = f"cannot alter array type {shown}"
        hint = (
            f"You can alter type {typenames.display(execution.catalog, row.element)}, which will alter the array type as well."
        )
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message, hint=hint)
    with view_text.kept(execution, classes.PG_TYPE, row.oid, row.name):
        _rename_row_type(execution, row.oid, row.namespace, statement["newname"])


# ---------------------------------------------------------------------- SET SCHEMA


_ROUTINES = ("OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE")


def set_schema(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER … SET SCHEMA."""
    kind = statement["objectType"]
    namespace_name = statement["newschema"]
    if kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        row = open_type(execution, strings(statement["object"]["List"]["items"]))
        with view_text.kept(execution, classes.PG_TYPE, row.oid, row.name):
            _move_type(execution, row.oid, row.namespace, namespace_oid(execution, namespace_name))
        return f"ALTER {kind.removeprefix('OBJECT_')}"
    if kind in _ROUTINES:
        from proxy.ddl.function import move_function

        return move_function(execution, statement)
    if kind not in _RELATIONS:
        raise unsupported(f"ALTER {kind.removeprefix('OBJECT_').replace('_', ' ')} SET SCHEMA")
    tag = f"ALTER {_RELATIONS[kind][1]}"
    relation = _target(statement, execution)
    if relation is None:
        return tag
    _check_said_kind(relation, kind)
    namespace = namespace_oid(execution, namespace_name)
    if namespace == relation.namespace:
        return tag
    _move_relation(execution, relation, namespace)
    return tag


def _move_relation(execution: Execution, relation: Relation, namespace: int) -> None:
    """A relation takes its types, indexes, constraints and owned sequences along (AlterTableNamespaceInternal)."""
    if execution.catalog.relation(namespace, relation.name) is not None:
        schema = execution.catalog.namespace_name(namespace)
        message = f'relation "{relation.name}" already exists in schema "{schema}"'
        raise SqlError(sqlstate.DUPLICATE_TABLE, message)
    oid = relation.oid
    with view_text.kept(execution, classes.PG_CLASS, oid, relation.name):
        if relation.row_type:
            _move_type(execution, relation.row_type, relation.namespace, namespace)
        for moved in (oid, *(index.oid for index in relation.indexes)):
            execution.update("pg_class", oid, {"relnamespace": namespace}, oid=moved)
        execution.update("pg_constraint", oid, {"connamespace": namespace}, conrelid=oid)
        _move_dependency(execution, classes.PG_CLASS, oid, relation.namespace, namespace)
    if relation.kind in "rm":
        move_storage(execution, execution.relation(oid))
    for sequence in _owned_sequences(execution, oid):
        found = execution.relation(sequence)
        if found.namespace != namespace:
            _move_relation(execution, found, namespace)


def _owned_sequences(execution: Execution, table: int) -> list[int]:
    where = {"classid": classes.PG_CLASS, "refclassid": classes.PG_CLASS, "refobjid": table}
    return [
        oid
        for oid, kind in execution.select("pg_depend", table, "objid", "deptype", **where)
        if kind in "ai" and execution.select("pg_sequence", table, "1", seqrelid=oid)
    ]


def _move_type(execution: Execution, oid: int, old: int, namespace: int) -> None:
    row = execution.catalog.type(oid)
    if execution.catalog.type_by_name(namespace, row.name) is not None:
        schema = execution.catalog.namespace_name(namespace)
        raise SqlError(sqlstate.DUPLICATE_OBJECT, f'type "{row.name}" already exists in schema "{schema}"')
    for moved in (oid, row.array):
        execution.update("pg_type", oid, {"typnamespace": namespace}, oid=moved)
    execution.update("pg_constraint", oid, {"connamespace": namespace}, contypid=oid)
    _move_dependency(execution, classes.PG_TYPE, oid, old, namespace)
    execution.changed()


def _move_dependency(execution: Execution, catalog: int, oid: int, old: int, namespace: int) -> None:
    where = {"classid": catalog, "objid": oid, "refclassid": classes.PG_NAMESPACE, "refobjid": old}
    execution.update("pg_depend", oid, {"refobjid": namespace}, **where)
