"""A view's query laid out as pg_get_viewdef does: a line for each column, FROM, JOIN, WHERE and so on, indented.

Only the outermost SELECT is laid out; what is inside an expression is printed by the grammar's own printer. Schemas that
the search path finds are left out, and the table's name before a column where there is one table. The form that is not
"pretty" has parentheses around joins and around every operator of a condition.
"""

from typing import Any

from pglast import ast, enums, parse_sql, stream, visitors


def print_view(text: str, visible: set[str], *, pretty: bool) -> str:
    """The layout of a stored query."""
    statements: Any = parse_sql(text)
    tree = statements[0].stmt
    _HideSchemas(visible)(tree)
    _drop_qualifiers(tree)
    return f" {_Layout(pretty=pretty).select(tree)};"


class _HideSchemas(visitors.Visitor):
    def __init__(self, visible: set[str]) -> None:
        self._visible = visible

    def visit_RangeVar(self, ancestors: Any, node: Any) -> None:  # noqa: N802
        if node.schemaname in self._visible:
            node.schemaname = None


def _raw(node: Any) -> str:
    return str(stream.RawStream()(node))


def _drop_qualifiers(tree: Any) -> None:
    """Columns of a query over one relation are printed without its name."""
    sources: list[Any] = list(getattr(tree, "fromClause", None) or ())
    if len(sources) != 1 or not isinstance(sources[0], ast.RangeVar):
        return
    source = sources[0]
    alias = source.relname if source.alias is None else source.alias.aliasname

    class Drop(visitors.Visitor):
        def visit_ColumnRef(self, ancestors: Any, node: Any) -> None:  # noqa: N802
            fields = list(node.fields)
            if len(fields) == 2 and getattr(fields[0], "sval", None) == alias:
                node.fields = tuple(fields[1:])

    Drop()(tree)


class _Layout:
    """The lines of a query, pretty or not."""

    def __init__(self, *, pretty: bool) -> None:
        self._pretty = pretty

    def select(self, node: Any) -> str:
        if node.op != enums.SetOperation.SETOP_NONE:
            word = _SET_OPERATIONS[enums.SetOperation(node.op).name] + (" ALL" if node.all else "")
            return f"{self.select(node.larg)}\n{word}\n {self.select(node.rarg)}" + self._tail(node)
        if node.withClause is not None or node.valuesLists or node.windowClause or node.lockingClause:
            return _raw(node)
        distinct = ""
        if node.distinctClause:
            on = [each for each in node.distinctClause if each is not None]
            distinct = f"DISTINCT ON ({', '.join(map(_raw, on))}) " if on else "DISTINCT "
        lines = [f"SELECT {distinct}" + ",\n    ".join(_raw(target) for target in node.targetList or ())]
        if node.fromClause:
            lines.append("   FROM " + ",\n    ".join(self._from_item(item) for item in node.fromClause))
        if node.whereClause is not None:
            lines.append(f"  WHERE {self._condition(node.whereClause)}")
        if node.groupClause:
            lines.append(f"  GROUP BY {', '.join(map(_raw, node.groupClause))}")
        if node.havingClause is not None:
            lines.append(f" HAVING {self._condition(node.havingClause)}")
        return "\n".join(lines) + self._tail(node)

    def _tail(self, node: Any) -> str:
        text = ""
        if node.sortClause:
            text += f"\n  ORDER BY {', '.join(map(_raw, node.sortClause))}"
        if node.limitOffset is not None:
            text += f"\n OFFSET {_raw(node.limitOffset)}"
        if node.limitCount is not None:
            text += f"\n LIMIT {_raw(node.limitCount)}"
        return text

    def _from_item(self, item: Any) -> str:
        if not isinstance(item, ast.JoinExpr):
            # PostgreSQL prints no AS before an alias of a FROM item.
            return _raw(item).replace(" AS ", " ", 1) if isinstance(item, ast.RangeVar) else _raw(item)
        word = _JOINS[_join_type(item)]
        condition = ""
        if item.usingClause:
            condition = f" USING ({', '.join(each.sval for each in item.usingClause)})"
        elif item.quals is not None:
            quals = self._condition(item.quals)
            condition = f" ON {quals}" if self._pretty else f" ON ({quals})"
        elif item.isNatural:
            word = f"NATURAL {word}"
        else:
            word = "CROSS JOIN"
        text = f"{self._from_item(item.larg)}\n     {word} {self._from_item(item.rarg)}{condition}"
        return text if self._pretty else f"({text})"

    def _condition(self, node: Any) -> str:
        if self._pretty:
            return _raw(node)
        if isinstance(node, ast.BoolExpr):
            parts = [self._condition(each) for each in node.args or ()]
            word = _boolean_operator(node)
            return f"(NOT {parts[0]})" if word == "NOT_EXPR" else f"({_BOOLEAN[word].join(parts)})"
        return f"({_raw(node)})" if isinstance(node, (ast.A_Expr, ast.NullTest, ast.BooleanTest)) else _raw(node)


_SET_OPERATIONS = {"SETOP_UNION": "UNION", "SETOP_INTERSECT": "INTERSECT", "SETOP_EXCEPT": "EXCEPT"}
_JOINS = {"JOIN_INNER": "JOIN", "JOIN_LEFT": "LEFT JOIN", "JOIN_RIGHT": "RIGHT JOIN", "JOIN_FULL": "FULL JOIN"}
_BOOLEAN = {"AND_EXPR": " AND ", "OR_EXPR": " OR "}


def _boolean_operator(node: Any) -> str:
    return str(enums.BoolExprType(node.boolop).name)


def _join_type(item: Any) -> str:
    return str(enums.JoinType(item.jointype).name)
