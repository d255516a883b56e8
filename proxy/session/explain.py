"""EXPLAIN: the SQLite statements that a query became, and SQLite's plan of them, in lines that look like PostgreSQL's.

Costs are not known, so none are shown; COSTS, BUFFERS, WAL and their like change nothing and are accepted as PostgreSQL
accepts them. ANALYZE runs the statement (and keeps what it does, as in PostgreSQL) and adds rows and time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from proxy.session import explain_formats, utility
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
        raise query.failure.anew()
    compiled = CompiledPlan(query, portal.compiled.statement, portal.compiled.section)
    report: dict[str, Any] = {"Plan": await _plan(session, compiled, query)}
    if options.get("analyze"):
        started = time.perf_counter()
        report["Actual Rows"] = await _run(session, compiled, portal.binds)
        report["Execution Time"] = round((time.perf_counter() - started) * 1000, 3)
    match options["format"]:
        case "json":
            portal.spool = [(explain_formats.json_text(report),)]
        case "yaml":
            portal.spool = [(explain_formats.yaml_text(report),)]
        case _:
            portal.spool = [(line,) for line in explain_formats.text_lines(report, timing=options.get("timing", True))]


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
            if text == "xml":
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


async def _plan(session: Session, compiled: CompiledPlan, query: QueryPlan) -> dict[str, Any]:
    """Every SQLite statement with SQLite's plan of it, as nodes with nodes below them."""
    statements = []
    for step in query.steps:
        try:
            rows = await session.executor.explain(compiled, f"EXPLAIN QUERY PLAN {step.sql}", step.binds)
        except SqlError:
            rows = []  # a step that reads a table which an earlier step makes
        root: dict[str, Any] = {"Node Type": "SQLite Statement", "Statement": step.sql}
        nodes = {0: root}
        for identity, parent, _, detail in rows:
            nodes[identity] = {"Node Type": detail}
            nodes[parent].setdefault("Plans", []).append(nodes[identity])
        statements.append(root)
    return statements[0] if len(statements) == 1 else {"Node Type": "SQLite Program", "Plans": statements}


async def _run(session: Session, compiled: CompiledPlan, binds: tuple[Any, ...]) -> int:
    inner = Portal("", compiled, binds, compiled.formats(()))
    session.bind_hidden(inner)
    await session.executor.run(inner)
    await session.executor.spool(inner)
    return len(inner.spool or ()) if inner.count is None else inner.count
