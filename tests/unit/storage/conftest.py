"""What the storage tests share: databases in real files, and relations declared by hand instead of by DDL."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy.storage.connection import Connection
from proxy.storage.database import Database
from translator.catalog import Column, Constraint, Index, Relation

PUBLIC = 2200


class Tables:
    """Relations for `translate`, and the Relations protocol over them."""

    def __init__(self):
        self.relations = {}
        self.indexes = {}
        self._oid = 16384

    def oid(self):
        self._oid += 1
        return self._oid

    def table(self, name, columns, *, constraints=(), indexes=(), schema="public"):
        """`columns`: name -> type OID, or a Column's keyword arguments with `type_oid`."""
        attributes = tuple(
            Column(column, number, **(facts if isinstance(facts, dict) else {"type_oid": facts}))
            for number, (column, facts) in enumerate(columns.items(), 1)
        )
        storage = name if schema == "public" else f"{schema}.{name}"
        relation = Relation(
            self.oid(), name, schema, PUBLIC, "r", attributes, storage=storage, constraints=constraints, indexes=indexes
        )
        self.relations[relation.oid] = relation
        for index in indexes:
            prefix = "" if schema == "public" else f"{schema}."
            self.indexes[prefix + index.name] = Relation(index.oid, index.name, schema, PUBLIC, "i", (), storage=index.name)
        return relation

    def unique(self, name, *columns, **facts):
        return Index(self.oid(), name, True, False, columns, **facts)

    def check(self, name):
        return Constraint(self.oid(), name, "c", ())

    def foreign_key(self, name, columns, parent, referenced, **facts):
        """`parent`: a relation, or its OID where it must be known before it exists (itself)."""
        oid = parent if isinstance(parent, int) else parent.oid
        return Constraint(self.oid(), name, "f", columns, referenced=oid, referenced_columns=referenced, **facts)

    def relation_by_oid(self, oid):
        return self.relations.get(oid)

    def relation_by_storage(self, storage):
        return next((r for r in self.relations.values() if r.storage == storage), self.indexes.get(storage))


@pytest.fixture
def tables():
    return Tables()


@pytest.fixture
def connection(tmp_path):
    connection = Connection(tmp_path / "test.db", writable=True)
    yield connection
    connection.close()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def run(tmp_path, threads):
    """Run `scenario(database)`, a coroutine function, on a database in a new file."""

    def run(scenario):
        async def main():
            database = Database("test", tmp_path / "test.db", threads)
            try:
                async with asyncio.timeout(20):
                    return await scenario(database)
            finally:
                database.close()

        return asyncio.run(main())

    return run
