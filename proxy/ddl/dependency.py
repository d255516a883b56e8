"""What depends on an object, and dropping it all: RESTRICT refuses, CASCADE says so and does it (dependency.c).

The search goes from an object to those that refer to it in pg_depend. An object that is internal to another one (the rule
of a view, the index of a constraint) or belongs to an extension is dropped with its owner: found on the way, it stands for its owner; named in the
command, it is refused.
"""

from dataclasses import dataclass, field

from proxy.ddl.execution import Address, Execution
from proxy.pg_catalog.classes import FIRST_UNPINNED_OID, PUBLIC_NAMESPACE
from proxy.pg_catalog.describe import Describer
from proxy.pg_catalog.relations import is_bootstrapped
from translator import sqlstate
from translator.errors import SqlError

_MAX_REPORTED = 100  # MAX_REPORTED_DEPS, dependency.c
_INTERNAL, _AUTOMATIC, _EXTENSION = "i", "a", "e"
_OWNING = (_INTERNAL, _EXTENSION)


@dataclass
class Found:
    """An object to be dropped: why, and whether somebody must agree to it."""

    address: Address
    dependee: Address | None
    automatic: bool


@dataclass
class Search:
    """One search; `found` is in the order of deletion."""

    execution: Execution
    originals: list[Address]
    found: list[Found] = field(default_factory=list)
    visited: set[Address] = field(default_factory=set)

    def visit(self, address: Address, dependee: Address | None, automatic: bool) -> None:
        """Find what depends on an object, then add the object itself (findDependentObjects)."""
        if address in self.visited:
            self._strengthen(address, automatic)
            return
        self.visited.add(address)
        for kind, dependent in sorted(self._dependents(address), key=_by_age):
            owner = self.owner(dependent) if kind not in _OWNING else None
            if owner is not None and owner not in self.visited and not self._covered(owner):
                self.visit(owner, address, kind == _AUTOMATIC)
            elif owner is None or owner in self.visited:
                self.visit(dependent, address, kind in (_AUTOMATIC, *_OWNING))
        self.found.append(Found(address, dependee, automatic or dependee is None))

    def _covered(self, owner: Address) -> bool:
        whole = Address(owner.catalog, owner.oid)
        return owner.column != 0 and whole in self.visited

    def _strengthen(self, address: Address, automatic: bool) -> None:
        if automatic:
            for each in self.found:
                if each.address == address:
                    each.automatic = True

    def owner(self, address: Address) -> Address | None:
        """What an object is internal to, or the extension that it belongs to."""
        rows = self.execution.select(
            "pg_depend",
            address.oid,
            "refclassid",
            "refobjid",
            "refobjsubid",
            "deptype",
            classid=address.catalog,
            objid=address.oid,
            objsubid=address.column,
        )
        return next((Address(*row) for *row, kind in rows if kind in _OWNING), None)

    def _dependents(self, address: Address) -> list[tuple[str, Address]]:
        where = {"refclassid": address.catalog, "refobjid": address.oid}
        if address.column:
            where["refobjsubid"] = address.column
        columns = ("deptype", "classid", "objid", "objsubid")
        rows = self.execution.select("pg_depend", 0, *columns, **where)
        if is_bootstrapped(self.execution.connection, "temp"):
            rows += self.execution.select("pg_depend", 2**32, *columns, **where)
        found = {(kind, Address(*rest)) for kind, *rest in rows}
        return [(kind, dependent) for kind, dependent in found if dependent != address]


def _by_age(item: tuple[str, Address]) -> tuple[int, int, int]:
    """Newest first (object_address_comparator)."""
    _, address = item
    return (-address.oid, address.catalog, address.column)


def perform_deletion(execution: Execution, originals: list[Address], *, cascade: bool) -> None:
    """Drop objects and what depends on them (performMultipleDeletions)."""
    from proxy.ddl import delete

    search = Search(execution, originals)
    for address in originals:
        refuse_internal(execution, address, originals)
    for address in originals:
        search.visit(address, None, automatic=True)
    _report(execution, search, cascade=cascade)
    delete.delete_objects(execution, [each.address for each in search.found])


def refuse_internal(execution: Execution, address: Address, originals: list[Address]) -> None:
    """Nobody drops what the system needs, or what belongs to another object."""
    describer = describer_of(execution)
    if address.oid < FIRST_UNPINNED_OID and address.oid != PUBLIC_NAMESPACE:
        words = describer.describe(address.catalog, address.oid)
        message = f"cannot drop {words} because it is required by the database system"
        raise SqlError(sqlstate.DEPENDENT_OBJECTS_STILL_EXIST, message)
    owner = Search(execution, originals).owner(address)
    if owner is None or owner in originals or Address(owner.catalog, owner.oid) in originals:
        return
    words = describer.describe(address.catalog, address.oid, address.column)
    owner_words = describer.describe(owner.catalog, owner.oid, owner.column)
    raise SqlError(
        sqlstate.DEPENDENT_OBJECTS_STILL_EXIST,
        f"cannot drop {words} because {owner_words} requires it",
        hint=f"You can drop {owner_words} instead.",
    )


def describer_of(execution: Execution) -> Describer:
    """Words for objects, as the current search path sees them."""
    return Describer(execution.connection, execution.catalog, execution.path)


def _report(execution: Execution, search: Search, *, cascade: bool) -> None:
    """Refuse, or tell, what else would go (reportDependentObjects)."""
    whole = {each.address for each in search.found if not each.address.column}
    others = [
        each
        for each in reversed(search.found)
        if not each.automatic and not (each.address.column and Address(each.address.catalog, each.address.oid) in whole)
    ]
    if not others:
        return
    describer = describer_of(execution)

    def words(address: Address) -> str:
        return describer.describe(address.catalog, address.oid, address.column)

    lines = []
    for each in others[:_MAX_REPORTED]:
        assert each.dependee is not None
        line = (
            f"drop cascades to {words(each.address)}" if cascade else f"{words(each.address)} depends on {words(each.dependee)}"
        )
        lines.append(line)
    rest = len(others) - len(lines)
    if rest:
        lines.append(f"and {rest} other object{'' if rest == 1 else 's'} (see server log for list)")
    if not cascade:
        message = "cannot drop desired object(s) because other objects depend on them"
        if len(search.originals) == 1:
            message = f"cannot drop {words(search.originals[0])} because other objects depend on it"
        raise SqlError(
            sqlstate.DEPENDENT_OBJECTS_STILL_EXIST,
            message,
            detail="\n".join(lines),
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
        )
    if len(others) == 1:
        execution.note(lines[0])
    else:
        execution.note(f"drop cascades to {len(others)} other objects", detail="\n".join(lines))
