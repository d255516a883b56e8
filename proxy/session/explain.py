"""EXPLAIN: the SQLite statements that a query became, and SQLite's plan of them, in lines that look like PostgreSQL's.

Costs are not known, so none are shown; COSTS, BUFFERS, WAL and their like change nothing and are accepted as PostgreSQL
accepts them. ANALYZE runs the statement (and keeps what it does, as in PostgreSQL) and adds rows and time.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from proxy.session import utility
from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal
from translator import sqlstate as codes
from translator.errors import SqlError, unsupported
from translator.plan import Field, QueryPlan, UtilityPlan

if TYPE_CHECKING:
    from proxy.session.session import Session

_TEXT: Final = 25
_JSON: Final = 114
_BOOLEAN_OPTIONS: Final = frozenset(
    ["analyze", "verbose", "costs", "settings", "generic_plan", "buffers", "wal", "timing", "summary", "memory"]
)


async def explain(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """EXPLAIN query."""
    portal.tag = "EXPLAIN"
    options = _options(plan)
    query = plan.query
    if not isinstance(query, QueryPlan):
        raise unsupported("EXPLAIN of a utility command")
    if query.failure is not None:
        raise query.failure.with_traceback(None)
    compiled = CompiledPlan(query, portal.compiled.statement, portal.compiled.section)
    report: dict[str, Any] = {"Plan": await _nodes(session, compiled, query)}
    if options.get("analyze"):
        started = time.perf_counter()
        report["Actual Rows"] = await _run(session, compiled, portal.binds)
        report["Execution Time"] = round((time.perf_counter() - started) * 1000, 3)
    if options["format"] == "json":
        portal.spool = [(json.dumps([report], indent=2, ensure_ascii=False),)]
    else:
        portal.spool = [(line,) for line in _lines(report, timing=options.get("timing", True))]


def columns(session: Session, plan: UtilityPlan) -> tuple[Field, ...]:
    """One column of text, or of json."""
    return (Field("QUERY PLAN", _JSON if _options(plan)["format"] == "json" else _TEXT),)


def _options(plan: UtilityPlan) -> dict[str, Any]:
    """The options, checked as ParseExplainOptionList in explain_state.c does."""
    found: dict[str, Any] = {"format": "text"}
    for each in plan.tree.get("options", ()):
        element = each["DefElem"]
        name, location = element["defname"], element.get("location")
        text = utility.string_of(element["arg"]).lower() if "arg" in element else "true"
        if name == "format":
            if text not in {"text", "json", "xml", "yaml"}:
                message = f'unrecognized value for EXPLAIN option "format": "{text}"'
                raise SqlError(codes.INVALID_PARAMETER_VALUE, message, location=location)
            if text in {"xml", "yaml"}:
                raise unsupported(f"EXPLAIN format {text}", location)
            found["format"] = text
        elif name == "serialize":
            if text not in {"none", "off", "false"}:
                raise unsupported("EXPLAIN option SERIALIZE", location)
        elif name in _BOOLEAN_OPTIONS:
            if text not in {"true", "false", "on", "off", "1", "0"}:
                raise SqlError(codes.SYNTAX_ERROR, f"{name} requires a Boolean value", location=location)
            found[name] = text in {"true", "on", "1"}
        else:
            raise SqlError(codes.SYNTAX_ERROR, f'unrecognized EXPLAIN option "{name}"', location=location)
    return found


async def _nodes(session: Session, compiled: CompiledPlan, query: QueryPlan) -> list[dict[str, Any]]:
    """Every SQLite statement with SQLite's plan of it."""
    nodes = []
    for step in query.steps:
        try:
            rows = await session.executor.explain(compiled, f"EXPLAIN QUERY PLAN {step.sql}", step.binds)
        except SqlError:
            rows = []  # a step that reads a table which an earlier step makes
        parents: dict[int, int] = {}
        details = []
        for identity, parent, _, detail in rows:
            parents[identity] = parents.get(parent, 0) + 1
            details.append({"Depth": parents[identity], "Node": detail})
        nodes.append({"Statement": step.sql, "Nodes": details})
    return nodes


async def _run(session: Session, compiled: CompiledPlan, binds: tuple[Any, ...]) -> int:
    inner = Portal("", compiled, binds, compiled.formats(()))
    session.bind_hidden(inner)
    await session.executor.run(inner)
    await session.executor.spool(inner)
    return len(inner.spool or ()) if inner.count is None else inner.count


def _lines(report: dict[str, Any], *, timing: bool) -> list[str]:
    lines = []
    for node in report["Plan"]:
        first = True
        for each in node["Nodes"]:
            indent = "  " * (each["Depth"] - 1)
            lines.append(f"{indent}{'' if first else '->  '}{each['Node']}")
            first = False
        if first:
            lines.append("Result")
        lines.append(f"  SQLite: {' '.join(node['Statement'].split())}")
    if "Actual Rows" in report:
        lines.append(f"Actual Rows: {report['Actual Rows']}")
        if timing:
            lines.append(f"Execution Time: {report['Execution Time']:.3f} ms")
    return lines
