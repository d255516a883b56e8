"""The text of an analyzed expression is PostgreSQL's, and so is what is printed when that text is read again."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.deparse import cases, schema
from translator import compiler, deparse, oids
from translator.parser import parse, parse_expressions
from translator.settings import Settings, runtime

CASES = [piece for path in cases.files() for piece in cases.read(path) if isinstance(piece, cases.Case)]

_CLAUSES = {
    "expression": "CHECK constraint",
    "check": "CHECK constraint",
    "default": "DEFAULT",
    "index": "index expression",
    "predicate": "index predicate",
    "generated": "generated column",
}


class Names:
    """The objects that the cases name in constants of type regclass and kin."""

    known = ("pg_class", "integer", "english")

    def object_oid(self, type_name: str, text: str) -> int:
        return self.known.index(text) + 1

    def object_name(self, type_name: str, oid: int) -> str:
        return self.known[oid - 1]


@pytest.fixture(autouse=True)
def object_names() -> Iterator[None]:
    runtime.catalog = SimpleNamespace(object_names=Names())
    yield
    runtime.catalog = None


def target(case: cases.Case) -> tuple[int, int] | None:
    if case.kind in ("check", "predicate"):
        return oids.BOOL, -1
    if not case.type:
        return None
    (statement,) = parse(f"SELECT NULL::{case.type}")
    node: Any = statement.tree["targetList"][0]["ResTarget"]["val"]["TypeCast"]["typeName"]
    catalog, _ = schema.load()
    return schema.resolve(catalog, node)


def text_of(case: cases.Case, text: str) -> str:
    catalog, relation = schema.load()
    (node,) = parse_expressions(text)
    analysis, made = compiler.analyze_expression(
        node,
        catalog,
        Settings(),
        relation=None if case.kind == "default" else relation,
        target=target(case),
        clause=_CLAUSES[case.kind],
    )
    return deparse.expression(made, catalog, analysis.path)


def name(case: cases.Case) -> str:
    return f"{case.kind} {case.type}: {case.input}"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_text_is_postgresqls(case: cases.Case) -> None:
    assert text_of(case, case.input) == case.text


@pytest.mark.parametrize("case", CASES, ids=name)
def test_text_read_again_is_postgresqls(case: cases.Case) -> None:
    assert text_of(case, case.text) == case.text_read_again
