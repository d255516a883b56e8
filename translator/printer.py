"""From the lowered tree to SQLite's text: sqlglot's SQLite generator, with our calls.

Two checks make sure that nothing is printed that means something else to SQLite: `_KINDS` lists the node kinds that may
occur, and every Anonymous is a call marked native by lowering or one in the table of implementations. Anything else is
0A000, never a guess. Templates are put together as text here, since their text is SQLite's already.

The generator's class-level tables are patched once, at import, before the first generator exists: it caches them, and with
the compiled sqlglot it cannot be subclassed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.generators.sqlite import SQLiteGenerator

from translator import oids
from translator.errors import unsupported
from translator.functions.registry import IMPLEMENTATIONS
from translator.plan import MOST_BINDS
from translator.typed import location_of

_HOLE = re.compile(r"\$(\d+)")
_OVER = "{over}"
_REFERENCE = re.compile(r"\bpg_(\w+)\s*\(")
# What needs no parentheses as an operand in a template.
_ATOMS = (exp.Column, exp.Parameter, exp.Null, exp.Boolean, exp.Paren, exp.Subquery, exp.Case, exp.Coalesce, exp.Cast)

# The node kinds that lowering leaves. Names are sqlglot's.
_KINDS = frozenset(
    [
        "Add",
        "Alias",
        "And",
        "Anonymous",
        "Boolean",
        "CTE",
        "Case",
        "Cast",
        "Coalesce",
        "Column",
        "Count",
        "DataType",
        "Delete",
        "Distinct",
        "EQ",
        "Except",
        "Exists",
        "Filter",
        "From",
        "GT",
        "GTE",
        "Group",
        "HexString",
        "Having",
        "Identifier",
        "If",
        "In",
        "Insert",
        "Intersect",
        "Is",
        "Join",
        "LT",
        "LTE",
        "Limit",
        "Literal",
        "NEQ",
        "Neg",
        "Not",
        "Null",
        "NullSafeEQ",
        "NullSafeNEQ",
        "Offset",
        "OnConflict",
        "Or",
        "Order",
        "Ordered",
        "Parameter",
        "Paren",
        "Returning",
        "RowNumber",
        "Schema",
        "Select",
        "Set",
        "Star",
        "Subquery",
        "Table",
        "TableAlias",
        "Tuple",
        "Union",
        "Update",
        "Values",
        "Var",
        "Where",
        "Window",
        "WindowSpec",
        "With",
    ]
)


def print_sql(tree: exp.Expr) -> tuple[str, frozenset[str]]:
    """The SQLite text of a lowered tree, and the functions it calls, as Connection.require wants them named."""
    functions: set[str] = set()
    for node in tree.walk():
        kind = type(node).__name__
        if kind not in _KINDS:
            raise unsupported(f"{kind} expression", location_of(node))
        if kind == "Anonymous":
            _collect(node, functions)
        elif kind == "Parameter" and int(node.this.this) > MOST_BINDS:
            functions.add("parameter")
    generator = SQLite().generator(normalize_functions=False, comments=False)
    return generator.generate(tree, copy=False), frozenset(functions)


def _collect(node: exp.Expr, functions: set[str]) -> None:
    text = node.meta.get("template")
    if text is not None:
        functions.update(template_references(text))
    elif not node.meta.get("native") and not node.meta.get("binary"):
        implementation = IMPLEMENTATIONS[node.this]
        if implementation.template is not None:
            functions.update(template_references(implementation.template))
        else:
            functions.add(_installed_name(node))


@cache
def template_references(text: str) -> frozenset[str]:
    """The implementations that a template calls as pg_<name>, and those that their templates call."""
    found: set[str] = set()
    for name in _REFERENCE.findall(text):
        inner = IMPLEMENTATIONS[name].template
        found |= {name} if inner is None else template_references(inner)
    return frozenset(found)


def _installed_name(node: exp.Expr) -> str:
    types = node.meta.get("types")
    name = node.this if types is None else f"{node.this}@{types}"
    if node.meta.get("variadic") and node.meta["proc"].variadic == oids.ANY:
        return f"{name}~variadic"
    aggregate = IMPLEMENTATIONS[node.this].aggregate
    return f"{name}~window" if aggregate is not None and not hasattr(aggregate, "inverse") and _is_windowed(node) else name


def _is_windowed(node: exp.Expr) -> bool:
    parent = node.parent
    return isinstance(parent, exp.Window) or (isinstance(parent, exp.Filter) and isinstance(parent.parent, exp.Window))


def _anonymous(generator: Any, node: exp.Anonymous) -> str:
    if node.meta.get("binary"):
        left, right = node.expressions
        return f"{generator.sql(left)} {node.this} {generator.sql(right)}"
    if node.meta.get("native"):
        return f"{node.this}({_arguments(generator, node)})"
    text = node.meta.get("template")
    if text is None:
        text = IMPLEMENTATIONS[node.this].template
    if text is not None:
        return _fill(generator, text, node)
    name = f"pg_{_installed_name(node)}"
    return f"{name if name.isidentifier() else _quote(name)}({_arguments(generator, node)})"


def _window(generator: Any, node: exp.Window) -> str:
    """OVER, which in some templates belongs to a call inside."""
    call = node.this
    text = IMPLEMENTATIONS[call.this].template if isinstance(call, exp.Anonymous) and call.this in IMPLEMENTATIONS else None
    if text is None or _OVER not in text:
        return str(generator.window_sql(node))
    empty = node.copy()
    empty.set("this", exp.Null())
    over = generator.window_sql(empty).removeprefix("NULL")
    texts = [_operand(generator, argument) for argument in call.expressions]
    return _HOLE.sub(lambda hole: texts[int(hole[1]) - 1], text).replace(_OVER, over)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _arguments(generator: Any, node: exp.Anonymous) -> str:
    return ", ".join(generator.sql(argument) for argument in node.expressions)


def _fill(generator: Any, text: str, node: exp.Anonymous) -> str:
    """A template with its arguments. An aggregate's DISTINCT and ORDER BY stay bare, inside its parentheses."""
    arguments = node.expressions
    order = ""
    if arguments and isinstance(arguments[-1], exp.Order):
        ordering = arguments[-1]
        order = generator.sql(exp.Order(expressions=ordering.expressions)).replace("\n", " ")
        arguments = [*arguments[:-1], ordering.this]
    texts = [_operand(generator, argument) for argument in arguments]
    filled = _HOLE.sub(lambda hole: texts[int(hole[1]) - 1], text.replace(_OVER, ""))
    if order:
        filled = f"{filled[:-1]} {order.strip()})"
    return filled if node.meta.get("aggregate") or node.meta.get("window") or _is_call(filled) else f"({filled})"


def _is_call(text: str) -> bool:
    """Whether the text is one function call, name(…), from its first to its last character."""
    if not text.endswith(")") or not re.match(r"\w+\(", text):
        return False
    depth = 0
    quoted = ""
    for place, char in enumerate(text):
        if quoted:
            quoted = "" if char == quoted else quoted
        elif char in "'\"":
            quoted = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0 and place < len(text) - 1:
                return False
    return True


def _operand(generator: Any, node: exp.Expr) -> str:
    text: str = generator.sql(node)
    if isinstance(node, (exp.Distinct, exp.Star, exp.Anonymous, *_ATOMS)):
        return text
    if isinstance(node, exp.Literal) and not text.startswith("-"):
        return text
    return f"({text})"


def _parameter(generator: Any, node: exp.Parameter) -> str:
    number = int(node.this.this)
    return f"?{number}" if number <= MOST_BINDS else f"pg_parameter(?{MOST_BINDS + 1}, {number - MOST_BINDS - 1})"


def _boolean(generator: Any, node: exp.Boolean) -> str:
    return "1" if node.this else "0"


def _row_number(generator: Any, node: exp.RowNumber) -> str:
    return "row_number()"


def _hex(generator: Any, node: exp.HexString) -> str:
    return f"x'{node.this}'"


def _literal(generator: Any, node: exp.Literal) -> str:
    if not node.is_string:
        return str(node.this)
    # a NUL cannot occur: PostgreSQL's text has none
    return "'" + str(node.this).replace("'", "''") + "'"


SQLiteGenerator.TRANSFORMS.update(
    {
        exp.Anonymous: _anonymous,
        exp.Parameter: _parameter,
        exp.Boolean: _boolean,
        exp.RowNumber: _row_number,
        exp.HexString: _hex,
        exp.Literal: _literal,
        exp.Window: _window,
    }
)
# sqlglot rewrites DISTINCT ON and several kinds of joins on its own; what reaches it here needs no help.
SQLiteGenerator.TRANSFORMS.pop(exp.Select, None)
