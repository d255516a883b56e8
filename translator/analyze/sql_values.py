"""CURRENT_DATE, CURRENT_USER and the other values that SQL spells without parentheses (SQLValueFunction)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator.analyze.scope import Scope
from translator.typed import call, typed

Node = dict[str, Any]

# SQLValueFunction: the registered function and its result type.
_SQL_VALUES: dict[str, tuple[str, int]] = {
    "SVFOP_CURRENT_DATE": ("sqlvalue_current_date", oids.DATE),
    "SVFOP_CURRENT_TIME": ("sqlvalue_current_time", oids.TIMETZ),
    "SVFOP_CURRENT_TIME_N": ("sqlvalue_current_time", oids.TIMETZ),
    "SVFOP_CURRENT_TIMESTAMP": ("sqlvalue_current_timestamp", oids.TIMESTAMPTZ),
    "SVFOP_CURRENT_TIMESTAMP_N": ("sqlvalue_current_timestamp", oids.TIMESTAMPTZ),
    "SVFOP_LOCALTIME": ("sqlvalue_localtime", oids.TIME),
    "SVFOP_LOCALTIME_N": ("sqlvalue_localtime", oids.TIME),
    "SVFOP_LOCALTIMESTAMP": ("sqlvalue_localtimestamp", oids.TIMESTAMP),
    "SVFOP_LOCALTIMESTAMP_N": ("sqlvalue_localtimestamp", oids.TIMESTAMP),
    "SVFOP_CURRENT_ROLE": ("sqlvalue_current_role", oids.NAME),
    "SVFOP_CURRENT_USER": ("sqlvalue_current_user", oids.NAME),
    "SVFOP_USER": ("sqlvalue_user", oids.NAME),
    "SVFOP_SESSION_USER": ("sqlvalue_session_user", oids.NAME),
    "SVFOP_CURRENT_CATALOG": ("sqlvalue_current_catalog", oids.NAME),
    "SVFOP_CURRENT_SCHEMA": ("sqlvalue_current_schema", oids.NAME),
}


def sql_value(scope: Scope, value: Node) -> exp.Expr:
    operation = value.get("op", "SVFOP_CURRENT_DATE")
    name, type_oid = _SQL_VALUES[operation]
    typmod = value.get("typmod", 0) if operation.endswith("_N") else -1  # a precision of 0 is left out of the tree
    arguments = [typed(exp.Literal(this=str(typmod), is_string=False), oids.INT4)] if typmod >= 0 else []
    node = call(name, *arguments, stable=True)
    return typed(node, type_oid, typmod, value.get("location"))
