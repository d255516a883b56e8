"""Constraints that SQLite cannot hold, enforced while a row is written."""

from __future__ import annotations

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function
from translator.settings import runtime
from translator.types import registry
from translator.types.base import Stored

MAX_FIELD_LENGTH = 64  # bytes of a value that a failing row's DETAIL shows (maxfieldlen in execMain.c)


@function("enforce_check", strict=False, deterministic=False)
def enforce_check(relation_oid: int, constraint: str, passes: int | None, *row: Stored | None) -> bool:
    """True, or 23514 if a CHECK is false for the row (ExecConstraints)."""
    if passes is None or passes:
        return True
    relation = runtime.catalog.relation_by_oid(relation_oid)
    raise SqlError(
        codes.CHECK_VIOLATION,
        f'new row for relation "{relation.name}" violates check constraint "{constraint}"',
        detail=f"Failing row contains ({failing_row(relation, row)}).",
        schema=relation.schema,
        table=relation.name,
        constraint=constraint,
    )


@function("enforce_view_check", strict=False, deterministic=False)
def enforce_view_check(relation_oid: int, view: str, passes: int | None, *row: Stored | None) -> bool:
    """True, or 44000 if the row is not one of the view (ExecWithCheckOptions)."""
    if passes:
        return True
    relation = runtime.catalog.relation_by_oid(relation_oid)
    raise SqlError(
        codes.WITH_CHECK_OPTION_VIOLATION,
        f'new row violates check option for view "{view}"',
        detail=f"Failing row contains ({failing_row(relation, row)}).",
    )


def failing_row(relation: object, row: tuple[Stored | None, ...]) -> str:
    """The row's values, long ones cut (ExecBuildSlotValueDescription)."""
    texts = []
    for column, value in zip(relation.columns, row, strict=False):  # type: ignore[attr-defined]
        if column.generated == "v":
            texts.append("virtual")
            continue
        text = "null" if value is None else registry.type_of(column.type_oid).output(value, runtime.settings)
        if len(text) > MAX_FIELD_LENGTH:
            text = text[:MAX_FIELD_LENGTH] + "..."
        texts.append(text)
    return ", ".join(texts)


@function("not_null_violation", strict=False, deterministic=False)
def not_null_violation(relation_oid: int, column: str, *row: Stored | None) -> None:
    """23502 for a key that is SQLite's rowid, of which SQLite would make up a value."""
    relation = runtime.catalog.relation_by_oid(relation_oid)
    raise SqlError(
        codes.NOT_NULL_VIOLATION,
        f'null value in column "{column}" of relation "{relation.name}" violates not-null constraint',
        detail=f"Failing row contains ({failing_row(relation, row)}).",
        schema=relation.schema,
        table=relation.name,
        column=column,
    )


@function("domain_check", strict=False, deterministic=False)
def domain_check(domain: int, value: Stored | None, *tests: str | int | None) -> Stored | None:
    """The value, or 23502/23514 if a constraint of the domain refuses it: names and results of tests by turns."""
    for name, passes in zip(tests[::2], tests[1::2], strict=True):
        row = runtime.catalog.type_by_oid(domain)
        if name == "" and value is None:
            raise SqlError(
                codes.NOT_NULL_VIOLATION,
                f"domain {row.name} does not allow null values",
                schema=runtime.catalog.namespace_name(row.namespace),
                data_type=row.name,
            )
        if name != "" and passes == 0:
            raise SqlError(
                codes.CHECK_VIOLATION,
                f'value for domain {row.name} violates check constraint "{name}"',
                schema=runtime.catalog.namespace_name(row.namespace),
                data_type=row.name,
                constraint=str(name),
            )
    return value
