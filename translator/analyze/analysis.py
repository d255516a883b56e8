"""What one run of parse analysis shares: the catalog, the search path, the parameters, the aliases given so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import typenames
from translator.catalog import Catalog
from translator.errors import SqlError
from translator.settings import Settings
from translator.typed import typed

if TYPE_CHECKING:
    from translator.analyze.program import Action

MAX_PARAMETERS = 65535  # that Bind's count can say


@dataclass
class Parameters:
    """$1 … $n of a statement: types declared by Parse or found from use (parse_param.c, variable parameters).

    `closed`: parameters may not be named at all (a utility statement, a view definition). `typmods`: of values that were read
    with a modifier, as COPY does, so that they need not be made to fit once more.
    """

    types: list[int] = field(default_factory=list)
    closed: bool = False
    typmods: Sequence[int] = ()

    def reference(self, number: int, location: int | None) -> exp.Expr:
        """A use of $number, typed as far as is known."""
        if self.closed or not number > 0:
            raise SqlError(codes.UNDEFINED_PARAMETER, f"there is no parameter ${number}", location=location)
        if number > MAX_PARAMETERS:
            raise SqlError(
                codes.PROGRAM_LIMIT_EXCEEDED, f"statement has more than {MAX_PARAMETERS} parameters", location=location
            )
        while len(self.types) < number:
            self.types.append(0)
        node = exp.Parameter(this=exp.Literal.number(number))
        typmod = self.typmods[number - 1] if self.typmods else -1
        return typed(node, self.types[number - 1] or oids.UNKNOWN, typmod, location)

    def named(self, fields: Sequence[str]) -> tuple[exp.Expr, Sequence[str]] | None:
        """What a name means that is no column, with the fields behind it; None: nothing (p_post_columnref_hook)."""
        return None

    def coerce(self, node: exp.Expr, target: int, location: int | None, catalog: Catalog) -> exp.Expr:
        """Give an open parameter its type (variable_coerce_param_hook)."""
        number = int(node.this.this)
        known = self.types[number - 1]
        if known in (0, oids.UNKNOWN):
            self.types[number - 1] = target
        elif known != target:
            raise SqlError(
                codes.AMBIGUOUS_PARAMETER,
                f"inconsistent types deduced for parameter ${number}",
                detail=f"{typenames.display(catalog, known)} versus {typenames.display(catalog, target)}",
                location=node.meta.get("location", location),
            )
        return typed(node, target, -1)

    def finish(self) -> tuple[int, ...]:
        """The final types. Raises 42P18 for a parameter that nothing determined (check_variable_parameters)."""
        for number, type_oid in enumerate(self.types, 1):
            if type_oid in (0, oids.UNKNOWN):
                raise SqlError(codes.INDETERMINATE_DATATYPE, f"could not determine data type of parameter ${number}")
        return tuple(self.types)


class Analysis:
    """The state of one statement's analysis. Raises SqlError; nothing is kept from a failed one."""

    def __init__(self, catalog: Catalog, settings: Settings, parameters: Parameters | None = None) -> None:
        self.catalog = catalog
        self.settings = settings
        self.path = catalog.search_path(settings.search_path, settings.user)
        self.parameters = parameters or Parameters(closed=True)
        self.relations: dict[tuple[int, str], None] = {}
        self.volatile = False
        self.repeated = False  # the statement is run for many rows, which count as one statement's (rowwise.py)
        self.row_marks: list[Any] = []
        self._aliases: set[str] = set()
        self._numbers = count(1)
        self.view_depth = 0
        self.before: list[Action] | None = None  # what routines do before the statement; None where they cannot run
        self.grouped = False  # whether a query of the statement groups or has window functions
        self.correlated_limits = False  # whether a LIMIT or OFFSET names a column of an outer query
        self.outer_aggregates: set[int] = set()  # numbers of query levels whose aggregates are named in subqueries
        self.failure: SqlError | None = None  # of a constant expression: raised when the plan is run
        self.only_form = False  # the tree will be nothing else: functions in SQL stay calls
        self.keeps_form = False  # the tree will be printed as PostgreSQL's text (meta "form", typed.py)

    def alias(self, name: str) -> str:
        """A table alias that no other FROM item of the statement has: SQLite's names ignore case and scopes may nest."""
        candidate = name
        while candidate.lower() in self._aliases:
            candidate = f"{name}_{next(self._numbers)}"
        self._aliases.add(candidate.lower())
        return candidate

    def type_name(self, oid: int, typmod: int = -1) -> str:
        """The type's name for a message."""
        return typenames.display(self.catalog, oid, typmod, self.path)

    def resolve_type(self, node: dict[str, Any]) -> tuple[int, int]:
        """(OID, typmod) of a TypeName node."""
        return typenames.resolve(self.catalog, self.path, node)
