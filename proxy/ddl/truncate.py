"""TRUNCATE (ExecuteTruncate, tablecmds.c): a DELETE of every row, which SQLite does without looking at them."""

from typing import Any

from proxy.ddl import sequence, verify
from proxy.ddl.execution import Execution
from proxy.ddl.names import forbid_system, open_relation, quote
from translator import sqlstate
from translator.catalog import Relation
from translator.errors import SqlError


def truncate(statement: dict[str, Any], execution: Execution) -> str:
    """TRUNCATE table, … [RESTART IDENTITY] [CASCADE]."""
    tables: dict[int, Relation] = {}
    for item in statement["relations"]:
        relation = open_relation(execution, item["RangeVar"])
        if relation.kind not in "rp":
            raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{relation.name}" is not a table')
        forbid_system(relation)
        tables[relation.oid] = relation
    _find_children(execution, tables, cascade=statement.get("behavior") == "DROP_CASCADE")
    for table in tables.values():
        verify.not_in_use(execution, table, "TRUNCATE")
    order = sorted(tables.values(), key=lambda table: -table.oid)
    with execution.connection.deferred_foreign_keys():  # children may come after their parents
        for table in order:
            execution.connection.execute(f"DELETE FROM {table.where}.{quote(table.storage)}")
    if statement.get("restart_seqs"):
        for table in order:
            _restart(execution, table)
    return "TRUNCATE TABLE"


def _find_children(execution: Execution, tables: dict[int, Relation], *, cascade: bool) -> None:
    """Tables that refer to these are truncated with them, or there is an error (heap_truncate_check_FKs)."""
    todo = list(tables.values())
    while todo:
        parent = todo.pop(0)
        for (oid,) in execution.select("pg_constraint", parent.oid, "conrelid", confrelid=parent.oid, contype="f"):
            if oid in tables:
                continue
            child = execution.relation(oid)
            if not cascade:
                raise SqlError(
                    sqlstate.FEATURE_NOT_SUPPORTED,
                    "cannot truncate a table referenced in a foreign key constraint",
                    detail=f'Table "{child.name}" references "{parent.name}".',
                    hint=f'Truncate table "{child.name}" at the same time, or use TRUNCATE ... CASCADE.',
                )
            execution.note(f'truncate cascades to table "{child.name}"')
            tables[oid] = child
            todo.append(child)


def _restart(execution: Execution, table: Relation) -> None:
    for column in table.columns:
        found = sequence.owned_sequence(execution, table.oid, column.attnum)
        if found is not None:
            restart = [{"DefElem": {"defname": "restart"}}]
            sequence.change_sequence(execution, execution.relation(found), restart)
