"""From the analyzed tree back to PostgreSQL's SQL, as pg_get_expr prints it (PostgreSQL's ruleutils.c).

What a catalog shows of DEFAULT, CHECK, index expressions and generated columns is not the user's text but the text of the
analyzed tree: operators in parentheses, constants with their types, casts where they are. Reading the text again gives
the same tree, so it is also what the catalog stores.

    expression     what each node is printed as, and which casts are visible
    constants      literals
    calls          functions, operators, SQL's own call syntax
    constructs     CASE, ARRAY, ROW, subscripts, IN, CURRENT_DATE, …
    variables      columns, qualified where needed
    aggregates     aggregates, window functions and their definitions
    sublinks       subqueries
    query          a SELECT's clauses and set operations; from_items, with_items and clauses its parts
    names          the aliases of a query level
    parentheses    where the pretty form needs them
    view, routine  the whole text of a view, of a function's body

Left out: what writes (INSERT, UPDATE, DELETE and MERGE of a rule or a SQL function's body).
"""

from translator.deparse.expression import expression, stored_expression
from translator.deparse.routine import routine_body
from translator.deparse.view import stored_view, view

__all__ = ["expression", "routine_body", "stored_expression", "stored_view", "view"]
