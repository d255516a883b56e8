"""From the analyzed tree back to PostgreSQL's SQL, as pg_get_expr prints it (PostgreSQL's ruleutils.c).

What a catalog shows of DEFAULT, CHECK, index expressions and generated columns is not the user's text but the text of the
analyzed tree: operators in parentheses, constants with their types, casts where they are. Reading the text again gives
the same tree, so it is also what the catalog stores.

    expression     what each node is printed as, and which casts are visible
    constants      literals
    calls          functions, operators, SQL's own call syntax
    constructs     CASE, ARRAY, ROW, subscripts, IN, CURRENT_DATE, …

Left out: queries, so subqueries, aggregates and window functions, none of which may stand in these expressions (0A000).
"""

from translator.deparse.expression import expression
from translator.quoting import quote_identifier

__all__ = ["expression", "quote_identifier"]
