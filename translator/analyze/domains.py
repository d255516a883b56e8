"""Constraints of domains, as tests of a value (ExecInitCoerceToDomain of PostgreSQL's executor)."""

from __future__ import annotations

from sqlglot import exp

from translator.analyze.analysis import Analysis
from translator.analyze.scope import Entry, EntryColumn, Scope
from translator.parser import parse_expressions
from translator.typed import string, type_of, typed, typmod_of


def constraint_tests(analysis: Analysis, domain: int, value: exp.Expr) -> list[exp.Expr]:
    """Constraint names and tests of the value by turns, those of the domains underneath first; NULL is no test: NOT NULL."""
    from translator.analyze.expressions import transform_in

    row = analysis.catalog.type(domain)
    tests = constraint_tests(analysis, row.base, value) if analysis.catalog.type(row.base).kind == "d" else []
    base = analysis.catalog.base_type(domain)
    for name, kind, text in analysis.catalog.domain_constraints(domain):
        if kind == "n":
            tests += [string(""), typed(exp.Null(), 16)]
            continue
        scope = Scope(analysis)
        stand_in = typed(value.copy(), base, typmod_of(value)) if type_of(value) != base else value.copy()
        scope.add(Entry("", [EntryColumn("value", stand_in)], kind="function"), by_name=False)
        (node,) = parse_expressions(text)
        tests += [string(name), transform_in(scope, node, "check constraints")]
    return tests
