"""Indexes from indexes: what LIKE INCLUDING INDEXES copies, and ADD CONSTRAINT … USING INDEX takes over."""

import json

from proxy.ddl import sqlite_schema
from proxy.ddl.columns import ConstraintSpec
from proxy.ddl.constraints import add_not_null, insert_constraint
from proxy.ddl.dependency import Search
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import compile_over, parse_expression
from proxy.ddl.index import IndexSpec, KeyColumn
from proxy.ddl.names import index_storage, quote
from proxy.pg_catalog import classes, types
from translator import sqlstate
from translator.catalog import Relation
from translator.errors import SqlError


def copied_spec(execution: Execution, source: Relation, target: Relation, oid: int) -> IndexSpec:
    """An index like one of another table, over the columns of the same names (generateClonedIndexStmt)."""
    row = execution.record("pg_index", oid, indexrelid=oid)
    method_oid = execution.record("pg_class", oid, oid=oid)["relam"]
    names = {column.attnum: column.name for column in source.columns}
    columns = {column.name: column for column in target.columns}
    attributes = dict(execution.select("pg_attribute", oid, "attnum", "attname", attrelid=oid))
    texts = iter(json.loads(row["indexprs"]) if row["indexprs"] else ())
    keys = []
    numbers, count = json.loads(row["indkey"]), row["indnkeyatts"]
    for place, number in enumerate(numbers[:count]):
        if number:
            column = columns[names[number]]
            key = KeyColumn(column, name=column.name)
        else:
            node = parse_expression(next(texts))
            key = KeyColumn(None, compile_over(execution, target, node, "index expression"), node, name=attributes[place + 1])
        key.collation = json.loads(row["indcollation"])[place]
        key.operator_class = types.operator_classes()[json.loads(row["indclass"])[place]]
        key.option = json.loads(row["indoption"])[place]
        keys.append(key)
    spec = IndexSpec(keys, [columns[names[number]] for number in numbers[count:]], unique=bool(row["indisunique"]))
    spec.method = next(name for name, each in types.access_methods().items() if each == method_oid)
    spec.nulls_not_distinct = bool(row["indnullsnotdistinct"])
    if row["indpred"]:
        spec.predicate_node = parse_expression(row["indpred"])
        spec.predicate = compile_over(execution, target, spec.predicate_node, "index predicate")
    return spec


def adopt_index(execution: Execution, relation: Relation, spec: ConstraintSpec) -> None:
    """ADD CONSTRAINT name PRIMARY KEY | UNIQUE USING INDEX index (ATExecAddIndexConstraint)."""
    name, location = spec.node["indexname"], spec.location
    index = next((each for each in relation.indexes if each.name == name), None)
    if index is None:
        found = execution.catalog.relation(relation.namespace, name)
        message = f'index "{name}" does not exist'
        if found is not None:
            message = f'index "{name}" does not belong to table "{relation.name}"'
            raise SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, message, location=location)
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message, location=location)
    _check_adoptable(execution, relation, index.oid, name, location)
    if spec.kind == "p":
        for attnum in index.columns:
            column = next(each for each in relation.columns if each.attnum == attnum)
            if not any(each.kind == "n" and each.columns == (attnum,) for each in relation.constraints):
                from proxy.ddl import verify

                verify.no_nulls(execution, relation, column)
                add_not_null(execution, relation, column)
    wanted = spec.name or name
    if wanted != name:
        words = f'ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "{name}" to "{wanted}"'
        execution.note(words)
        execution.update("pg_class", index.oid, {"relname": wanted}, oid=index.oid)
    execution.delete("pg_depend", index.oid, classid=classes.PG_CLASS, objid=index.oid, deptype="a")
    oid = insert_constraint(
        execution,
        relation,
        spec.kind,
        wanted,
        conkey=list(index.columns),
        conindid=index.oid,
        connoinherit=True,
        condeferrable=spec.deferrable,
        condeferred=spec.deferred,
    )
    execution.depend(Address(classes.PG_CLASS, index.oid), Address(classes.PG_CONSTRAINT, oid), "i")
    changes = {"indisprimary": spec.kind == "p", "indimmediate": not spec.deferrable}
    execution.update("pg_index", index.oid, changes, indexrelid=index.oid)
    execution.changed()
    if spec.deferrable:
        storage = quote(index_storage(execution, index.oid) or "")
        execution.connection.execute(f"DROP INDEX {relation.where}.{storage}")
        sqlite_schema.create_index(execution, execution.relation(relation.oid), index.oid)


def _check_adoptable(execution: Execution, relation: Relation, oid: int, name: str, location: int | None) -> None:
    index = next(each for each in relation.indexes if each.oid == oid)
    hint = "Cannot create a primary key or unique constraint using such an index."
    if Search(execution, []).owner(Address(classes.PG_CLASS, oid)) is not None:
        message = f'index "{name}" is already associated with a constraint'
        raise SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, message, location=location)
    for bad, words in (
        (not index.unique, "is not a unique index"),
        (bool(index.expressions), "contains expressions"),
        (index.predicate is not None, "is a partial index"),
    ):
        if bad:
            raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{name}" {words}', detail=hint, location=location)
