"""Expressions and function bodies of the catalog while something that they name gets another name.

PostgreSQL's trees have OIDs, so nothing happens to them. Here the texts in which the name occurs are read before the change and
printed again after it; one in which it stands for something else comes out as it was.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from proxy.ddl.execution import Execution
from proxy.ddl.expressions import freeze
from proxy.pg_catalog.stored_expressions import value_keyword, value_relation
from proxy.pg_catalog.texts import quote_identifier
from translator import definitions
from translator.catalog import Relation

# Writes one text of the catalog anew, with the names that it has then.
_Printer = Callable[[], None]


@contextmanager
def kept_expressions(execution: Execution, name: str | None) -> Iterator[None]:
    """While what is called `name` is called otherwise."""
    printers = [] if name is None else list(_printers(execution, quote_identifier(name)))
    yield
    execution.changed()
    for printer in printers:
        printer()
    execution.changed()


def _printers(execution: Execution, name: str) -> Iterator[_Printer]:
    for oid, relation, text in execution.select("pg_attrdef", 0, "oid", "adrelid", "adbin"):
        if name in text:
            yield _expression(execution, "pg_attrdef", "adbin", {"oid": oid}, text, execution.relation(relation))
    columns = ("oid", "conrelid", "contypid", "conbin")
    for oid, relation, domain, text in execution.select("pg_constraint", 0, *columns, contype="c"):
        if name in text:
            over = _domain_value(execution, domain) if domain else execution.relation(relation)
            yield _expression(execution, "pg_constraint", "conbin", {"oid": oid}, text, over)
    for oid, relation, texts, predicate in execution.select("pg_index", 0, "indexrelid", "indrelid", "indexprs", "indpred"):
        if texts and name in texts:
            yield _index_expressions(execution, oid, json.loads(texts), execution.relation(relation))
        if predicate and name in predicate:
            yield _expression(execution, "pg_index", "indpred", {"indexrelid": oid}, predicate, execution.relation(relation))
    for oid, text in execution.select("pg_type", 0, "oid", "typdefaultbin"):
        if text and name in text:
            yield _expression(execution, "pg_type", "typdefaultbin", {"oid": oid}, text, None)
    for oid, text in execution.select("pg_proc", 0, "oid", "prosqlbody"):
        if text and name in text:
            yield from _body(execution, oid)


def _domain_value(execution: Execution, domain: int) -> Relation:
    row = execution.catalog.type(domain)
    return value_relation(row.base, row.base_typmod, row.collation)


def _expression(
    execution: Execution, catalog: str, column: str, where: dict[str, Any], text: str, relation: Relation | None
) -> _Printer:
    node = definitions.analyze_stored(text, execution.catalog, execution.settings, relation)

    def write() -> None:
        printed = _printed(execution, node)
        if relation is not None and not relation.oid:
            printed = value_keyword(printed)
        execution.update(catalog, 0, {column: printed}, **where)

    return write


def _index_expressions(execution: Execution, index: int, texts: list[str], relation: Relation) -> _Printer:
    nodes = [definitions.analyze_stored(text, execution.catalog, execution.settings, relation) for text in texts]

    def write() -> None:
        execution.update("pg_index", 0, {"indexprs": [_printed(execution, node) for node in nodes]}, indexrelid=index)

    return write


def _printed(execution: Execution, node: Any) -> str:
    return freeze(execution, definitions.stored_expression_text(node, execution.catalog, execution.settings))


def _body(execution: Execution, oid: int) -> Iterator[_Printer]:
    forms = definitions.analyze_routine(execution.catalog.proc(oid), execution.catalog, execution.settings)
    if forms is None:  # it writes, and is kept as it was written
        return

    def write() -> None:
        text = definitions.stored_routine_text(forms, execution.catalog, execution.settings)
        execution.update("pg_proc", oid, {"prosqlbody": freeze(execution, text)}, oid=oid)

    yield write
