"""Expressions of the catalog as pg_get_expr gives them: names as the search path wants them, pretty on demand.

The catalog keeps text in which whatever is not in pg_catalog has its schema, relations in regclass constants are OIDs
(`ddl/expressions.freeze`), and IN is a list. Most texts have none of that and are given back as they are; the others are read
again and printed for the search path.
"""

import re

from proxy.pg_catalog import current
from translator import definitions
from translator.catalog import Column, Relation
from translator.rows import TypeRow
from translator.settings import runtime

_REGCLASS_OID = re.compile(r"'(\d+)'::regclass")
# A qualified name, a list that PostgreSQL prints as an array, an array that is cast.
_READ_AGAIN = re.compile(r'[\w"]\.[a-zA-Z_"]| IN \(|\]::')
_SIMPLE = re.compile(r"\w*\((?:'[^']*'::regclass)?\)|[^(]*")
_VALUE = re.compile(r"\bvalue\b(?=(?:[^']*'[^']*')*[^']*$)")  # not in a string


def expression(text: str, relation: Relation | None, *, pretty: bool = False) -> str:
    """The expression over the relation's columns, if there is one."""
    if (pretty and not _SIMPLE.fullmatch(text)) or _READ_AGAIN.search(text):
        catalog, settings = current.catalog(), runtime.settings
        node = definitions.analyze_stored(text, catalog, settings, relation)
        return definitions.expression_text(node, catalog, settings, current.path(), pretty=pretty)
    return _REGCLASS_OID.sub(_by_name, text)


def domain_check(text: str, domain: TypeRow, *, pretty: bool = False) -> str:
    """The CHECK of a domain, in which VALUE is the value."""
    return value_keyword(expression(text, value_relation(domain.base, domain.base_typmod, domain.collation), pretty=pretty))


def value_relation(type_oid: int, typmod: int, collation: int) -> Relation:
    """What a domain's CHECK is over: a relation that is made up, with the column `value`."""
    return Relation(0, "", "", 0, "c", (Column("value", 1, type_oid, typmod, collation, storage_name="value"),))


def value_keyword(text: str) -> str:
    """The text of a condition over `value_relation`, with VALUE as PostgreSQL prints it."""
    return _VALUE.sub("VALUE", text)


def _by_name(match: re.Match[str]) -> str:
    name = current.describer().relation_name(int(match[1]))
    return "'" + name.replace("'", "''") + "'::regclass"
