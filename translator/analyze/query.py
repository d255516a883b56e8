"""What analysis gives of a query: its typed tree and its target list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from translator.plan import Field

if TYPE_CHECKING:
    from translator.analyze.form import QueryForm, SetForm


@dataclass(slots=True)
class Target:
    """An entry of a target list (TargetEntry). `junk`: only sorted or grouped by, not returned."""

    name: str
    node: exp.Expr
    junk: bool = False


@dataclass(slots=True)
class Query:
    """An analyzed query. Its tree's columns have the names in `columns`, which are unique whatever case is ignored."""

    tree: exp.Query
    targets: list[Target]
    columns: list[str] = field(default_factory=list)
    form: QueryForm | SetForm | None = field(default=None, kw_only=True)

    def fields(self) -> tuple[Field, ...]:
        """The result columns."""
        return tuple(result_field(target) for target in self.targets)


def result_field(target: Target) -> Field:
    """The result column of one target; a plain column reference keeps its table and number."""
    meta = target.node.meta
    table_oid, attnum = meta.get("column", (0, 0)) if isinstance(target.node, exp.Column | exp.Coalesce) else (0, 0)
    return Field(target.name, meta["type"], meta.get("typmod", -1), table_oid, attnum)


def unique_names(names: list[str]) -> list[str]:
    """Column names for SQLite: as given where possible, unique when case is ignored, never empty."""
    taken: set[str] = set()
    found = []
    for position, name in enumerate(names, 1):
        candidate = name or f"column{position}"
        number = position
        while candidate.lower() in taken:
            candidate = f"{name}_{number}"
            number += 1
        taken.add(candidate.lower())
        found.append(candidate)
    return found
