"""Ask PostgreSQL for the expected texts and write them into the case files: `python -m tests.unit.deparse.record`."""

from typing import Any

import psycopg

from tests.harness import oracle
from tests.unit.deparse import cases

_CHECK = "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'case'"
_DEFAULT = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'x'::regclass"
_INDEX = "SELECT pg_get_expr(indexprs, indrelid) FROM pg_index WHERE indrelid = 'x'::regclass"
_PREDICATE = "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indrelid = 'x'::regclass"

# Statement and question, by kind.
_HOW = {
    "check": ('ALTER TABLE x ADD CONSTRAINT "case" CHECK ({0})', _CHECK),
    "expression": ('ALTER TABLE x ADD CONSTRAINT "case" CHECK (({0}) IS NULL)', _CHECK),
    "default": ("ALTER TABLE x ADD COLUMN made {1} DEFAULT {0}", _DEFAULT),
    "generated": ("ALTER TABLE x ADD COLUMN made {1} GENERATED ALWAYS AS ({0}) STORED", _DEFAULT),
    "index": ("CREATE INDEX ON x (({0}))", _INDEX),
    "predicate": ("CREATE INDEX ON x (a) WHERE {0}", _PREDICATE),
}


def printed(connection: Any, case: cases.Case, text: str) -> str:
    statement, question = _HOW[case.kind]
    with connection.transaction(force_rollback=True):
        connection.execute(statement.format(text, case.type))
        ((result,),) = connection.execute(question).fetchall()
    assert isinstance(result, str), f"{case.input} left no expression"
    return result.removeprefix("(").removesuffix(" IS NULL)") if case.kind == "expression" else result


def record(connection: Any, case: cases.Case) -> None:
    text = printed(connection, case, case.input)
    again = printed(connection, case, text)
    case.printed = text.split("\n")
    case.again = again.split("\n") if again != text else []


def main() -> None:
    with oracle.running() as address, psycopg.connect(address.dsn, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA deparse_cases")
        connection.execute("SET search_path = deparse_cases")
        try:
            connection.execute((cases.FOLDER / "schema.sql").read_bytes())
            for path in cases.files():
                pieces = cases.read(path)
                for case in pieces:
                    if isinstance(case, cases.Case):
                        record(connection, case)
                cases.write(path, pieces)
        finally:
            connection.execute("DROP SCHEMA deparse_cases CASCADE")


if __name__ == "__main__":
    main()
