"""Objects in words, as messages about dependencies name them: "view v", "constraint c on table t" (objectaddress.c)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from proxy.pg_catalog import classes
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.texts import quote_identifier, quote_qualified
from translator.analyze import typenames
from translator.catalog import Catalog

# Objects that are a word and a name: catalog -> the word, where the name stands.
_SIMPLE = {
    classes.PG_LANGUAGE: ("language", "pg_language", "lanname"),
    classes.PG_AM: ("access method", "pg_am", "amname"),
    classes.PG_TABLESPACE: ("tablespace", "pg_tablespace", "spcname"),
    classes.PG_DATABASE: ("database", "pg_database", "datname"),
}
_DEFAULTS = {"r": "relations", "S": "sequences", "f": "functions", "T": "types", "n": "schemas"}
_KINDS = {**classes.RELATION_KINDS, "p": "table"}


class Describer:
    """Words for objects, with names qualified where the search path does not find them."""

    def __init__(self, connection: Any, catalog: Catalog, path: Sequence[int]) -> None:
        self._connection = connection
        self._catalog = catalog
        self._path = path

    def describe(self, classid: int, oid: int, column: int = 0) -> str:
        """An object in words (getObjectDescription)."""
        describe = self._by_class().get(classid)
        if describe is None:
            return f"object {oid} of catalog {classid}"
        return describe(oid, column)

    def _by_class(self) -> dict[int, Callable[[int, int], str]]:
        return {
            classes.PG_CLASS: self._relation,
            classes.PG_TYPE: lambda oid, column: f"type {self.type_name(oid)}",
            classes.PG_NAMESPACE: lambda oid, column: f"schema {self._name('pg_namespace', oid, 'nspname')}",
            classes.PG_CONSTRAINT: self._constraint,
            classes.PG_ATTRDEF: self._default,
            classes.PG_REWRITE: self._rule,
            classes.PG_PROC: lambda oid, column: f"function {self.function_name(oid)}",
            classes.PG_AUTHID: lambda oid, column: f"role {self._name('pg_authid', oid, 'rolname')}",
            classes.PG_COLLATION: self._collation,
            classes.PG_EXTENSION: lambda oid, column: f"extension {self._name('pg_extension', oid, 'extname')}",
            classes.PG_TRIGGER: self._trigger,
            classes.PG_CAST: self._cast,
            classes.PG_DEFAULT_ACL: self._default_privileges,
            classes.PG_OPERATOR: lambda oid, column: f"operator {self.operator_name(oid)}",
            classes.PG_OPCLASS: lambda oid, column: self._of_access_method("pg_opclass", oid, "opc", "operator class"),
            classes.PG_OPFAMILY: lambda oid, column: self._of_access_method("pg_opfamily", oid, "opf", "operator family"),
            **{each: partial(self._simple, *words) for each, words in _SIMPLE.items()},
        }

    def _simple(self, word: str, catalog: str, name: str, oid: int, column: int) -> str:
        return f"{word} {quote_identifier(self._name(catalog, oid, name))}"

    def _collation(self, oid: int, column: int) -> str:
        row = record(self._connection, "pg_collation", oid)
        if row is None:
            return f"collation {oid}"
        name = self._qualify(row["collnamespace"], row["collname"], lambda namespace, _: namespace in self._path)
        return f"collation {name}"

    def _default_privileges(self, oid: int, column: int) -> str:
        row = record(self._connection, "pg_default_acl", oid)
        if row is None:
            return f"default privileges {oid}"
        words = f"default privileges on new {_DEFAULTS[row['defaclobjtype']]} belonging to role"
        words += f" {quote_identifier(self._name('pg_authid', row['defaclrole'], 'rolname'))}"
        namespace = row["defaclnamespace"]
        return f"{words} in schema {self._name('pg_namespace', namespace, 'nspname')}" if namespace else words

    def _cast(self, oid: int, column: int) -> str:
        row = record(self._connection, "pg_cast", oid)
        if row is None:
            return f"cast {oid}"
        return f"cast from {self.type_name(row['castsource'])} to {self.type_name(row['casttarget'])}"

    def operator_name(self, oid: int) -> str:
        """An operator's name with its argument types (format_operator)."""
        row = record(self._connection, "pg_operator", oid)
        if row is None:
            return str(oid)
        types = [self.type_name(row[side]) if row[side] else "NONE" for side in ("oprleft", "oprright")]
        namespace = row["oprnamespace"]
        schema = "" if namespace in self._path else f"{quote_identifier(self._catalog.namespace_name(namespace) or '')}."
        return f"{schema}{row['oprname']}({','.join(types)})"

    def _of_access_method(self, catalog: str, oid: int, prefix: str, word: str) -> str:
        row = record(self._connection, catalog, oid)
        if row is None:
            return f"{word} {oid}"
        name = self._qualify(row[f"{prefix}namespace"], row[f"{prefix}name"], lambda namespace, _: namespace in self._path)
        return f"{word} {name} for access method {self._name('pg_am', row[f'{prefix}method'], 'amname')}"

    def _name(self, catalog: str, oid: int, column: str) -> str:
        row = record(self._connection, catalog, oid)
        return str(oid) if row is None else str(row[column])

    def relation_name(self, oid: int) -> str:
        """A relation's name, qualified unless it is found without."""
        relation = self._catalog.relation_by_oid(oid)
        if relation is None:
            row = record(self._connection, "pg_class", oid)  # an index
            if row is None:
                return str(oid)
            return self._qualify(row["relnamespace"], row["relname"], self._visible_relation)
        return self._qualify(relation.namespace, relation.name, self._visible_relation)

    def _visible_relation(self, namespace: int, name: str) -> bool:
        for candidate in self._path:
            if self._catalog.relation(candidate, name) is not None:
                return candidate == namespace
        return False

    def _qualify(self, namespace: int, name: str, visible: Callable[[int, str], bool]) -> str:
        schema = None if visible(namespace, name) else self._catalog.namespace_name(namespace)
        return quote_qualified(schema, name)

    def type_name(self, oid: int) -> str:
        """A type's name (format_type_be)."""
        row = self._catalog.type_by_oid(oid)
        if row is not None and oid >= 16384 and not row.element:
            return self._qualify(row.namespace, row.name, self._visible_type)
        if row is not None and row.element >= 16384:
            return f"{self.type_name(row.element)}[]"
        return typenames.display(self._catalog, oid, path=self._path)

    def _visible_type(self, namespace: int, name: str) -> bool:
        for candidate in self._path:
            if self._catalog.type_by_name(candidate, name) is not None:
                return candidate == namespace
        return False

    def function_name(self, oid: int) -> str:
        """A function's name with its argument types (format_procedure)."""
        row = record(self._connection, "pg_proc", oid)
        if row is None:
            return str(oid)
        arguments = row["proargtypes"]
        if isinstance(arguments, str):
            import json

            arguments = json.loads(arguments)
        name = self._qualify(row["pronamespace"], row["proname"], lambda namespace, name: namespace in self._path)
        return f"{name}({','.join(self.type_name(each) for each in arguments)})"

    def _relation(self, oid: int, column: int) -> str:
        row = record(self._connection, "pg_class", oid)
        if row is None:
            return f"relation {oid}"
        words = f"{_KINDS.get(row['relkind'], 'relation')} {self.relation_name(oid)}"
        if not column:
            return words
        relation = self._catalog.relation_by_oid(oid)
        name = next((c.name for c in relation.columns if c.attnum == column), str(column)) if relation else str(column)
        return f"column {name} of {words}"

    def _constraint(self, oid: int, column: int) -> str:
        row = record(self._connection, "pg_constraint", oid)
        if row is None:
            return f"constraint {oid}"
        name = row["conname"]
        return f"constraint {name} on {self._relation(row['conrelid'], 0)}" if row["conrelid"] else f"constraint {name}"

    def _default(self, oid: int, column: int) -> str:
        row = record(self._connection, "pg_attrdef", oid)
        return f"default {oid}" if row is None else f"default value for {self._relation(row['adrelid'], row['adnum'])}"

    def _rule(self, oid: int, column: int) -> str:
        row = record(self._connection, "pg_rewrite", oid)
        return f"rule {oid}" if row is None else f"rule {row['rulename']} on {self._relation(row['ev_class'], 0)}"

    def _trigger(self, oid: int, column: int) -> str:
        row = record(self._connection, "pg_trigger", oid)
        return f"trigger {oid}" if row is None else f"trigger {row['tgname']} on {self._relation(row['tgrelid'], 0)}"
