"""ALTER TABLE … ALTER COLUMN … ADD GENERATED AS IDENTITY, SET GENERATED, DROP IDENTITY (ATExecAddIdentity and kin)."""

from typing import Any

from proxy.ddl import sequence
from proxy.ddl.columns import ColumnSpec, check_identity_type
from proxy.ddl.dependency import perform_deletion
from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import column_named
from proxy.pg_catalog import classes
from translator import sqlstate
from translator.catalog import Column, Relation
from translator.errors import SqlError


def add_identity(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """ADD GENERATED … AS IDENTITY."""
    from proxy.ddl.table import make_column_sequence

    column = column_named(relation, command["name"])
    node = command["def"]["Constraint"]
    if not column.not_null:
        raise _state(relation, column, "must be declared NOT NULL before identity can be added")
    if column.identity:
        raise _state(relation, column, "is already an identity column")
    if column.default is not None:
        raise _state(relation, column, "already has a default value")
    check_identity_type(column.type_oid)
    spec = ColumnSpec(column.name, column.type_oid, sequence_options=list(node.get("options", ())))
    made = make_column_sequence(execution, relation.name, relation.namespace, relation.persistence, spec)
    sequence.link(execution, made, relation.oid, column.attnum, "i")
    _set(execution, relation, column, node["generated_when"])


def set_identity(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """SET GENERATED ALWAYS | BY DEFAULT, SET sequence option, RESTART."""
    column = column_named(relation, command["name"])
    if not column.identity:
        raise _state(relation, column, "is not an identity column")
    options = []
    for item in command["def"]["List"]["items"]:
        if item["DefElem"]["defname"] == "generated":
            code = item["DefElem"]["arg"]["Integer"].get("ival", 0)
            _set(execution, relation, column, chr(code))
        else:
            options.append(item)
    if options:
        found = sequence.owned_sequence(execution, relation.oid, column.attnum, "i")
        assert found is not None
        sequence.change_sequence(execution, execution.relation(found), options)


def drop_identity(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """DROP IDENTITY [IF EXISTS]: the sequence goes, NOT NULL stays."""
    column = column_named(relation, command["name"])
    if not column.identity:
        error = _state(relation, column, "is not an identity column")
        if not command.get("missing_ok"):
            raise error
        execution.note(f"{error.message}, skipping")
        return
    found = sequence.owned_sequence(execution, relation.oid, column.attnum, "i")
    _set(execution, relation, column, "")
    if found is not None:
        execution.delete("pg_depend", relation.oid, classid=classes.PG_CLASS, objid=found, deptype="i")
        execution.changed()
        perform_deletion(execution, [Address(classes.PG_CLASS, found)], cascade=False)


def _set(execution: Execution, relation: Relation, column: Column, identity: str) -> None:
    changes = {"attidentity": identity}
    execution.update("pg_attribute", relation.oid, changes, attrelid=relation.oid, attnum=column.attnum)
    execution.changed()


def _state(relation: Relation, column: Column, what: str) -> SqlError:
    message = f'column "{column.name}" of relation "{relation.name}" {what}'
    return SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, message)
