"""Names for one query level: which alias every FROM item gets and what its columns are called (set_deparse_for_query).

An alias that an outer level or an item before has gets a number. The columns that a USING merges must be called alike on
both sides, and where the merged column is neither side's, so that it can be named without a qualifier only, no other column of
the level may be called so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from translator.analyze.form import FromForm, JoinForm, QueryForm, RangeForm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from translator.catalog import Catalog, Relation


@dataclass(slots=True)
class Columns:
    """The column names of a FROM item (deparse_columns); None where none is chosen yet."""

    names: list[str | None]
    using: list[str] = field(default_factory=list)
    reserved: list[str] = field(default_factory=list)  # those of the joins around
    printed: bool = False


class Namespace:
    """The names of one query level (deparse_namespace)."""

    def __init__(self, query: QueryForm, outer: Sequence[Namespace], catalog: Catalog) -> None:
        self.query = query
        self._catalog = catalog
        self._ranges: dict[str, RangeForm] = {}
        self._joins: dict[str, JoinForm] = {}
        for source in query.sources:
            for form in _flattened(source):
                if isinstance(form, JoinForm):
                    self._joins[form.range.key] = form
                    self._ranges[form.range.key] = form.range
                else:
                    self._ranges[form.key] = form
        self.aliases = self._unique_aliases(outer)
        self._reserved: list[str] = []
        self._columns = {key: Columns([None] * len(form.names)) for key, form in self._ranges.items()}
        self._unique = any(_is_dangerous(join) for join in self._joins.values())
        for source in query.sources:
            self._name_using(source, [])
        for key, form in self._ranges.items():
            if key in self._joins:
                self._name_join(self._joins[key])
            else:
                self._name_relation(form)

    @property
    def size(self) -> int:
        """How many FROM items there are, joins among them."""
        return len(self._ranges)

    def range(self, key: str) -> RangeForm | None:
        """The FROM item that a column's table stands for."""
        return self._ranges.get(key)

    def relation(self, form: RangeForm) -> Relation | None:
        """The table or view that an item is, as it is called now."""
        if form.kind != "relation" or form.relation is None:
            return None
        return self._catalog.relation_by_oid(form.relation.oid) or form.relation

    def columns(self, form: RangeForm) -> Columns:
        """The columns of one of the level's items."""
        return self._columns[form.key]

    def _unique_aliases(self, outer: Sequence[Namespace]) -> dict[str, str | None]:
        """set_rtable_names"""
        counters = {alias: 0 for namespace in outer for alias in namespace.aliases.values() if alias is not None}
        aliases: dict[str, str | None] = {}
        for key, form in self._ranges.items():
            name: str | None = form.alias
            if name is None and form.kind != "join":
                relation = self.relation(form)
                name = form.name if relation is None else relation.name
            if name is not None and name in counters:
                base = name
                while name in counters:
                    counters[base] += 1
                    name = f"{base}_{counters[base]}"
            if name is not None:
                counters[name] = 0
            aliases[key] = name
        return aliases

    def _name_using(self, form: FromForm, around: list[str]) -> None:
        """Choose the names of merged columns and push them down to the two sides (set_using_names)."""
        if isinstance(form, RangeForm):
            return
        own = self.columns(form.range)
        if form.range.alias is None:
            for name, places in zip(own.names, form.sides, strict=True):
                self._push_down(form, name, places)
        around = list(around)
        for place, given in enumerate(form.using):
            name = own.names[place]
            if name is None:
                aliases = form.range.aliases
                name = self._unique_name(aliases[place] if place < len(aliases) else given, own)
                if self._unique:
                    self._reserved.append(name)
                own.names[place] = name
            own.using.append(name)
            around.append(name)
            self._push_down(form, name, form.sides[place])
        for side in (form.left, form.right):
            self.columns(_range(side)).reserved = around
            self._name_using(side, around)

    def _push_down(self, form: JoinForm, name: str | None, places: tuple[int | None, int | None]) -> None:
        for side, place in zip((form.left, form.right), places, strict=True):
            if name is not None and place is not None:
                self.columns(_range(side)).names[place] = name

    def _unique_name(self, name: str, columns: Columns) -> str:
        """make_colname_unique"""
        taken = {*columns.names, *self._reserved, *columns.reserved}
        candidate, number = name, 0
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        return candidate

    def _name_relation(self, form: RangeForm) -> None:
        """set_relation_column_names"""
        columns = self.columns(form)
        relation = self.relation(form)
        names = form.names if relation is None else [column.name for column in relation.columns]
        given = [*form.aliases, *names[len(form.aliases) :]]
        real = given if relation is None else names
        changed = self._choose(columns, given, real)
        columns.printed = form.kind == "function" or changed or (form.kind != "relation" and bool(form.aliases))

    def _name_join(self, form: JoinForm) -> None:
        """set_join_column_names"""
        columns = self.columns(form.range)
        real = []
        for number, (left, right) in enumerate(form.sides):
            if number < len(columns.using):
                real.append(columns.using[number])
                continue
            side, place = (form.left, left) if left is not None else (form.right, right)
            assert place is not None
            real.append(self.columns(_range(side)).names[place] or "")
        if form.range.alias is None:
            columns.names = list(real)
            return
        columns.printed = self._choose(columns, [*form.range.aliases, *real[len(form.range.aliases) :]], real)

    def _choose(self, columns: Columns, given: Sequence[str], real: Sequence[str]) -> bool:
        """Fill in the names that are not chosen yet; whether any is not the column's own."""
        for place, name in enumerate(given):
            if columns.names[place] is None:
                columns.names[place] = self._unique_name(name, columns)
        return columns.names != list(real)


def _flattened(form: FromForm) -> Iterator[FromForm]:
    """A FROM item with what it is made of, in the order in which PostgreSQL has them in its range table."""
    if isinstance(form, JoinForm):
        yield from _flattened(form.left)
        yield from _flattened(form.right)
    yield form


def _range(form: FromForm) -> RangeForm:
    return form.range if isinstance(form, JoinForm) else form


def _is_dangerous(join: JoinForm) -> bool:
    """Whether a merged column is neither side's (has_dangerous_join_using)."""
    return join.merged and join.range.alias is None
