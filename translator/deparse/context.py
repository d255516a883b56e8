"""What the functions of one deparse run share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from translator import oids
from translator.analyze import typenames
from translator.catalog import PG_CATALOG, PUBLIC, Catalog
from translator.quoting import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlglot import exp


@dataclass(slots=True)
class Context:
    """The catalog, how deep CASE has indented the text, and the printer of nodes.

    An implicit cast is visible only to some parents: `shown` prints it, `hidden` prints its argument instead. Operators and
    functions show their arguments' casts, for these say which function was chosen.
    """

    catalog: Catalog
    print_node: Callable[[Context, exp.Expr, bool], str]
    indent: int = 0

    def shown(self, node: exp.Expr) -> str:
        """The node's text with an implicit cast on top of it."""
        return self.print_node(self, node, True)

    def hidden(self, node: exp.Expr) -> str:
        """The node's text without one."""
        return self.print_node(self, node, False)

    def list_shown(self, nodes: Iterable[exp.Expr]) -> str:
        """The nodes' texts, separated by commas."""
        return ", ".join(map(self.shown, nodes))

    def type_name(self, oid: int, typmod: int) -> str:
        """The type as format_type_with_typemod prints it: character and bit without a length are not character(1), bit(1)."""
        if typmod < 0:
            row = self.catalog.type(oid)
            bare = {oids.BPCHAR: "bpchar", oids.BIT: '"bit"'}.get(row.element or oid)
            if bare is not None:
                return f"{bare}[]" if row.element else bare
        return typenames.display(self.catalog, oid, typmod)

    def qualified(self, namespace: int, name: str) -> str:
        """A function's name, with its schema unless that is always in the search path."""
        if namespace in (PG_CATALOG, PUBLIC):
            return quote_identifier(name)
        return f"{quote_identifier(self.catalog.namespace_name(namespace) or '')}.{quote_identifier(name)}"
