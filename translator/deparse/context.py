"""What the functions of one deparse run share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from translator import oids
from translator.analyze import typenames
from translator.catalog import PG_CATALOG, Catalog
from translator.deparse.names import Namespace
from translator.deparse.parentheses import is_simple
from translator.quoting import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlglot import exp

    from translator.analyze.form import QueryForm, WindowForm
    from translator.catalog import Relation
    from translator.rows import ProcRow

# A line break before which blanks are dropped; no text that PostgreSQL can hold contains it.
LINE = "\0"
_LIMIT = 40


@dataclass(slots=True)
class Context:
    """The catalog, the schemas that need not be said, how deep the text is indented, and the names of the query levels.

    An implicit cast is visible only to some parents: `shown` prints it, `hidden` prints its argument instead. Operators and
    functions show their arguments' casts, for these say which function was chosen.
    """

    catalog: Catalog
    print_node: Callable[[Context, exp.Expr, bool], str]
    path: Sequence[int] = (PG_CATALOG,)
    pretty: bool = False
    stored: bool = False  # the text will be read again, and must give the same tree
    lines: bool = True  # whether clauses have lines of their own
    indent: int = 0
    levels: Sequence[Namespace] = ()  # innermost first
    prefix: bool = False
    titles: Sequence[str] | None = None  # names of the result columns, where they are not the query's own
    titled: bool = True  # whether somebody sees the names of the result columns
    windows: list[WindowForm] = field(default_factory=list)
    sorting: bool = False  # a column is printed that ORDER BY could take for one of the result

    def shown(self, node: exp.Expr) -> str:
        """The node's text with an implicit cast on top of it."""
        return self.print_node(self, node, True)

    def hidden(self, node: exp.Expr) -> str:
        """The node's text without one."""
        return self.print_node(self, node, False)

    def operand(self, node: exp.Expr, parent: str, around: exp.Expr | None = None, *, shown: bool = True) -> str:
        """The node's text, in parentheses if the pretty form needs them in a parent of that kind (get_rule_expr_paren).

        `parent`: op (then `around` is the operator's node), AND, OR, NOT, cast, field or other.
        """
        text = self.print_node(self, node, shown)
        return f"({text})" if self.pretty and not is_simple(node, parent, around) else text

    def around(self, text: str) -> str:
        """The text in the parentheses that the pretty form leaves out."""
        return text if self.pretty else f"({text})"

    def list_shown(self, nodes: Iterable[exp.Expr]) -> str:
        """The nodes' texts, separated by commas."""
        return ", ".join(map(self.shown, nodes))

    def keyword(self, text: str, before: int, after: int, plus: int) -> str:
        """A new line that begins with the text; the indentation changes before and after it (appendContextKeyword)."""
        if not self.lines:
            return text
        self.indent += before
        amount = max(self.indent, 0)
        if amount >= _LIMIT:
            amount = (_LIMIT + (amount - _LIMIT) // 4) % _LIMIT
        self.indent = max(self.indent + after, 0)
        return f"{LINE}{' ' * (amount + plus)}{text}"

    def inside(self, query: QueryForm, *, titles: Sequence[str] | None, titled: bool) -> Context:
        """The context for a query inside of what this one is for."""
        names = Namespace(query, self.levels, self.catalog)
        prefix = bool(self.levels) or names.size != 1
        levels = (names, *self.levels)
        return replace(self, levels=levels, prefix=prefix, titles=titles, titled=titled, windows=query.windows, sorting=False)

    def type_name(self, oid: int, typmod: int) -> str:
        """The type as format_type_with_typemod prints it: character and bit without a length are not character(1), bit(1)."""
        if typmod < 0:
            row = self.catalog.type(oid)
            bare = {oids.BPCHAR: "bpchar", oids.BIT: '"bit"'}.get(row.element or oid)
            if bare is not None:
                return f"{bare}[]" if row.element else bare
        return typenames.display(self.catalog, oid, typmod, self.path)

    def function_name(self, proc: ProcRow) -> str:
        """A function's name, with its schema unless a call finds it without (generate_function_name)."""
        proc = self.catalog.proc(proc.oid)
        for namespace in self.path:
            found = [each for each in self.catalog.procs(proc.name) if each.namespace == namespace]
            if namespace == proc.namespace:
                return quote_identifier(proc.name)
            if any(each.arguments == proc.arguments for each in found):
                break
        return f"{quote_identifier(self.catalog.namespace_name(proc.namespace) or '')}.{quote_identifier(proc.name)}"

    def relation_name(self, relation: Relation) -> str:
        """A relation's name, with its schema unless the search path or a WITH item decides otherwise (generate_relation_name)."""
        hidden = any(cte.name == relation.name for level in self.levels for cte in level.query.ctes)
        found = None
        for namespace in self.path:
            found = self.catalog.relation(namespace, relation.name)
            if found is not None:
                break
        if found is not None and found.oid == relation.oid and not hidden:
            return quote_identifier(relation.name)
        return f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}"
