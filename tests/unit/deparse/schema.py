"""The relation and the types of schema.sql as a catalog, without a database."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from tests.unit.deparse.cases import FOLDER
from translator.analyze import typenames
from translator.catalog import PUBLIC, Catalog, Column, NoSource, Relation
from translator.parser import parse
from translator.rows import TypeRow


class Schema(NoSource):
    """What the CREATE statements of a file define: enums, domains, composite types and tables, in schema public."""

    def __init__(self) -> None:
        self.types: dict[int, TypeRow] = {}
        self.relations: dict[int, Relation] = {}
        self._oid = 16384

    def next_oid(self) -> int:
        self._oid += 1
        return self._oid

    def relation(self, namespace: int, name: str) -> Relation | None:
        return next((row for row in self.relations.values() if row.name == name and namespace == PUBLIC), None)

    def relation_by_oid(self, oid: int) -> Relation | None:
        return self.relations.get(oid)

    def type_by_name(self, namespace: int, name: str) -> TypeRow | None:
        return next((row for row in self.types.values() if row.name == name and namespace == PUBLIC), None)

    def type_by_oid(self, oid: int) -> TypeRow | None:
        return self.types.get(oid)

    def domain_constraints(self, oid: int) -> Iterable[Any]:
        return ()

    def add_type(self, name: str, kind: str, length: int, **facts: Any) -> TypeRow:
        oid, array = self.next_oid(), self.next_oid()
        row = TypeRow(oid, name, PUBLIC, length, kind, facts.pop("category"), False, array=array, **facts)
        self.types[oid] = row
        self.types[array] = TypeRow(array, f"_{name}", PUBLIC, -1, "b", "A", False, element=oid)
        return row

    def add_relation(self, name: str, kind: str, columns: list[Column]) -> Relation:
        oid = self.next_oid()
        row = self.add_type(name, "c", -1, category="C", relation=oid)
        self.relations[oid] = Relation(oid, name, "public", PUBLIC, kind, tuple(columns), name, row_type=row.oid)
        return self.relations[oid]


@cache
def load() -> tuple[Catalog, Relation]:
    """The catalog of schema.sql and its table x."""
    schema = Schema()
    for statement in parse((FOLDER / "schema.sql").read_text()):
        _DEFINE[statement.node](schema, statement.tree)
    table = schema.relation(PUBLIC, "x")
    assert table is not None
    return Catalog(schema), table


def resolve(catalog: Catalog, node: Any) -> tuple[int, int]:
    return typenames.resolve(catalog, catalog.search_path(["public"], "postgres"), node)


def _enum(schema: Schema, tree: Any) -> None:
    labels = tuple(each["String"]["sval"] for each in tree["vals"])
    schema.add_type(tree["typeName"][0]["String"]["sval"], "e", 4, category="E", labels=labels)


def _domain(schema: Schema, tree: Any) -> None:
    base, typmod = resolve(Catalog(schema), tree["typeName"])
    row = Catalog(schema).type(base)
    schema.add_type(
        tree["domainname"][0]["String"]["sval"],
        "d",
        row.length,
        category=row.category,
        base=base,
        base_typmod=typmod,
        collation=row.collation,
    )


def _composite(schema: Schema, tree: Any) -> None:
    schema.add_relation(tree["typevar"]["relname"], "c", _columns(schema, tree["coldeflist"]))


def _table(schema: Schema, tree: Any) -> None:
    schema.add_relation(tree["relation"]["relname"], "r", _columns(schema, tree["tableElts"]))


def _columns(schema: Schema, nodes: Any) -> list[Column]:
    columns = []
    for attnum, node in enumerate(nodes, 1):
        definition = node["ColumnDef"]
        type_oid, typmod = resolve(Catalog(schema), definition["typeName"])
        columns.append(Column(definition["colname"], attnum, type_oid, typmod))
    return columns


_DEFINE = {
    "CreateEnumStmt": _enum,
    "CreateDomainStmt": _domain,
    "CompositeTypeStmt": _composite,
    "CreateStmt": _table,
}
