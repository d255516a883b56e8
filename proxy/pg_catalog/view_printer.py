"""A view's query laid out as pg_get_viewdef does: a line for each column, FROM, JOIN, WHERE and so on, indented.

Only the outermost SELECT is laid out; what is inside an expression is printed by the grammar's own printer. Schemas that
the search path finds are left out.
"""

from typing import Any

from pglast import ast, enums, parse_sql, stream, visitors


def print_view(text: str, visible: set[str]) -> str:
    """The layout of a stored query."""
    statements: Any = parse_sql(text)
    tree = statements[0].stmt
    _HideSchemas(visible)(tree)
    return f" {_select(tree)};"


class _HideSchemas(visitors.Visitor):
    def __init__(self, visible: set[str]) -> None:
        self._visible = visible

    def visit_RangeVar(self, ancestors: Any, node: Any) -> None:  # noqa: N802
        if node.schemaname in self._visible:
            node.schemaname = None


def _raw(node: Any) -> str:
    return str(stream.RawStream()(node))


def _select(node: Any) -> str:
    if node.op != enums.SetOperation.SETOP_NONE:
        words = {"SETOP_UNION": "UNION", "SETOP_INTERSECT": "INTERSECT", "SETOP_EXCEPT": "EXCEPT"}
        word = words[enums.SetOperation(node.op).name] + (" ALL" if node.all else "")
        return f"{_select(node.larg)}\n{word}\n {_select(node.rarg)}" + _tail(node)
    if node.withClause is not None or node.valuesLists or node.windowClause or node.lockingClause:
        return _raw(node)
    distinct = ""
    if node.distinctClause:
        on = [each for each in node.distinctClause if each is not None]
        distinct = f"DISTINCT ON ({', '.join(map(_raw, on))}) " if on else "DISTINCT "
    lines = [f"SELECT {distinct}" + ",\n    ".join(_raw(target) for target in node.targetList or ())]
    if node.fromClause:
        lines.append("   FROM " + ",\n    ".join(_from_item(item) for item in node.fromClause))
    if node.whereClause is not None:
        lines.append(f"  WHERE {_raw(node.whereClause)}")
    if node.groupClause:
        lines.append(f"  GROUP BY {', '.join(map(_raw, node.groupClause))}")
    if node.havingClause is not None:
        lines.append(f" HAVING {_raw(node.havingClause)}")
    return "\n".join(lines) + _tail(node)


def _tail(node: Any) -> str:
    text = ""
    if node.sortClause:
        text += f"\n  ORDER BY {', '.join(map(_raw, node.sortClause))}"
    if node.limitOffset is not None:
        text += f"\n OFFSET {_raw(node.limitOffset)}"
    if node.limitCount is not None:
        text += f"\n LIMIT {_raw(node.limitCount)}"
    return text


def _from_item(item: Any) -> str:
    if not isinstance(item, ast.JoinExpr):
        # PostgreSQL prints no AS before an alias of a FROM item.
        return _raw(item).replace(" AS ", " ", 1) if isinstance(item, ast.RangeVar) else _raw(item)
    words = {"JOIN_INNER": "JOIN", "JOIN_LEFT": "LEFT JOIN", "JOIN_RIGHT": "RIGHT JOIN", "JOIN_FULL": "FULL JOIN"}
    word = words[_join_type(item)]
    condition = ""
    if item.usingClause:
        condition = f" USING ({', '.join(each.sval for each in item.usingClause)})"
    elif item.quals is not None:
        condition = f" ON {_raw(item.quals)}"
    elif item.isNatural:
        word = f"NATURAL {word}"
    else:
        word = "CROSS JOIN"
    return f"{_from_item(item.larg)}\n     {word} {_from_item(item.rarg)}{condition}"


def _join_type(item: Any) -> str:
    return str(enums.JoinType(item.jointype).name)
