"""Ask PostgreSQL for the expected texts and write them into the case files: `python -m tests.unit.deparse.record`."""

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


def expected(connection: psycopg.Connection, case: cases.Case) -> str:
    statement, question = _HOW[case.kind]
    with connection.transaction(force_rollback=True):
        connection.execute(statement.format(case.input, case.type))
        ((text,),) = connection.execute(question).fetchall()
    assert isinstance(text, str)
    if case.kind == "expression":
        return text.removeprefix("(").removesuffix(" IS NULL)")
    return text


def main() -> None:
    with oracle.running() as address, psycopg.connect(address.dsn, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA deparse_cases")
        connection.execute("SET search_path = deparse_cases")
        try:
            connection.execute((cases.FOLDER / "schema.sql").read_text())
            for path in cases.files():
                pieces = cases.read(path)
                for case in pieces:
                    if isinstance(case, cases.Case):
                        try:
                            case.expected = expected(connection, case).split("\n")
                        except psycopg.Error as error:
                            raise SystemExit(f"{path.name}: {case.input}: {error}") from None
                cases.write(path, pieces)
        finally:
            connection.execute("DROP SCHEMA deparse_cases CASCADE")


if __name__ == "__main__":
    main()
