"""A database in a temporary file, without a server: statements in, command tags, notices, errors and rows out, as text."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import proxy.pg_catalog.functions
import proxy.session.functions  # noqa: F401  (both declare functions)
from proxy.ddl.execute import define
from proxy.ddl.execution import Execution
from proxy.ddl.sequence_values import DatabaseSequences, SessionSequences
from proxy.pg_catalog.relations import bootstrap, live_name
from proxy.pg_catalog.snapshot import CatalogSource
from proxy.pg_catalog.static import ensure_static_catalog
from proxy.pg_catalog.views import install_views
from proxy.session.activity import PG_DATABASE_COLUMNS
from proxy.storage.connection import Connection, SystemCatalog
from translator import compiler
from translator.catalog import Catalog
from translator.errors import SqlError
from translator.plan import DefinePlan
from translator.settings import Settings, runtime
from translator.types import registry


class Database:
    def __init__(self, path: Path) -> None:
        system = SystemCatalog(ensure_static_catalog(), install=_install)
        self.connection = Connection(path, writable=True, system=system)
        self.connection.begin_immediate()
        bootstrap(self.connection)
        self.connection.commit()
        self.connection.use_catalog()
        self.settings = Settings()
        self.session = SimpleNamespace(sequences=SessionSequences(DatabaseSequences(), self.connection), on_commit={})

    def close(self) -> None:
        runtime.session = runtime.catalog = None
        runtime.settings = Settings()
        self.connection.close()

    def run(self, sql: str) -> str:
        """Each statement in a transaction of its own; what a client would see of it, a line each."""
        return "\n".join(self._statement(statement) for statement in compiler.parse(sql))

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        """The rows of one query, as text."""
        found = self._rows(self._compile(compiler.parse(sql)[0]))
        if not self.connection.in_transaction:
            self.session.sequences.committed()
        return found

    def _compile(self, statement):
        catalog = Catalog(CatalogSource(self.connection))
        runtime.session, runtime.settings, runtime.catalog = self.session, self.settings, catalog
        return compiler.compile_statement(statement, catalog, self.settings)

    def _rows(self, plan):
        self.connection.require(plan.functions)
        found: list[Any] = []
        for step in plan.steps:
            rows = self.connection.execute(step.sql).fetchall()
            found = rows if step.result else found
        types = [registry.type_of(field.type_oid) for field in plan.fields or ()]
        return [
            tuple(None if value is None else type.output(value, self.settings) for type, value in zip(types, row, strict=True))
            for row in found
        ]

    def _statement(self, statement) -> str:
        notices: list[SqlError] = []
        self.connection.begin_immediate()
        try:
            plan = self._compile(statement)
            if isinstance(plan, DefinePlan):
                execution = Execution(self.connection, self.settings, notices.append, session=self.session)
                tag = define(plan, execution)
            else:
                self._rows(plan)
                tag = plan.tag
        except SqlError as error:
            self.connection.rollback()
            self.session.sequences.rolled_back()
            return _report(error)
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()
        self.session.sequences.committed()
        return "\n".join([*map(_report, notices), tag])


def _install(connection: Connection) -> None:
    install_views(connection)
    connection.register_live(live_name("pg_database"), PG_DATABASE_COLUMNS, lambda: ())


def _report(error: SqlError) -> str:
    lines = [f"{error.severity}: {error.sqlstate}: {error.message}"]
    if error.detail:
        lines.append(f"DETAIL: {error.detail}")
    if error.hint:
        lines.append(f"HINT: {error.hint}")
    return "\n".join(lines)
