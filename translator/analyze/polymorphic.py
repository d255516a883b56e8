"""Polymorphic types: what anyelement and its kin stand for in one call.

The rules of check_generic_type_consistency and enforce_generic_type_consistency (parse_coerce.c). The first family
(anyelement, anyarray, …) must agree exactly, the second (anycompatible, …) gets a common type. Both are computed by one
function that raises when the arguments disagree; `consistent` is its yes-or-no form for overload resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from translator import oids
from translator import sqlstate as codes
from translator.analyze import typenames
from translator.catalog import Catalog
from translator.errors import SqlError

_ARRAYS = {oids.ANYARRAY, oids.ANYCOMPATIBLEARRAY}
_RANGES = {oids.ANYRANGE, oids.ANYCOMPATIBLERANGE}
_MULTIRANGES = {oids.ANYMULTIRANGE, oids.ANYCOMPATIBLEMULTIRANGE}


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the two families stand for; 0 where the call does not say."""

    element: int = 0
    array: int = 0
    range: int = 0
    multirange: int = 0
    compatible: int = 0
    compatible_range: int = 0


def consistent(catalog: Catalog, actual: Sequence[int], declared: Sequence[int]) -> bool:
    """Whether the actual types agree with the declared polymorphic ones."""
    try:
        resolve(catalog, actual, declared)
    except SqlError:
        return False
    return True


def resolve(catalog: Catalog, actual: Sequence[int], declared: Sequence[int]) -> Resolution:
    """What the polymorphic types stand for. Raises 42804 when the arguments disagree."""
    element, array, range_type, multirange = _first_family(catalog, actual, declared)
    compatible, compatible_range = _second_family(catalog, actual, declared)
    return Resolution(element, array, range_type, multirange, compatible, compatible_range)


def _mismatch(message: str, detail: str | None = None) -> SqlError:
    return SqlError(codes.DATATYPE_MISMATCH, message, detail=detail)


def _first_family(catalog: Catalog, actual: Sequence[int], declared: Sequence[int]) -> tuple[int, int, int, int]:
    element = array = range_type = multirange = 0
    enum = nonarray = False

    def agree(found: int, new: int, word: str) -> int:
        if found not in (0, new):
            raise _mismatch(
                f'arguments declared "{word}" are not all alike',
                f"{typenames.display(catalog, found)} versus {typenames.display(catalog, new)}",
            )
        return new

    for given, wanted in zip(actual, declared, strict=False):
        if wanted not in oids.POLYMORPHIC_FIRST or given == oids.UNKNOWN:
            nonarray |= wanted == oids.ANYNONARRAY
            enum |= wanted == oids.ANYENUM
            continue
        if wanted in (oids.ANYELEMENT, oids.ANYNONARRAY, oids.ANYENUM):
            nonarray |= wanted == oids.ANYNONARRAY
            enum |= wanted == oids.ANYENUM
            element = agree(element, given, "anyelement")
        elif wanted == oids.ANYARRAY:
            array = agree(array, catalog.base_type(given), "anyarray")
        elif wanted == oids.ANYRANGE:
            range_type = agree(range_type, catalog.base_type(given), "anyrange")
        else:
            multirange = agree(multirange, catalog.base_type(given), "anymultirange")
    element = _element_from_array(catalog, array, element)
    range_type = _range_from_multirange(catalog, multirange, range_type)
    element = _element_from_range(catalog, range_type, element)
    if nonarray and element and catalog.element(element):
        raise _mismatch(f"type matched to anynonarray is an array type: {typenames.display(catalog, element)}")
    if enum and element and catalog.type(catalog.base_type(element)).kind != "e":
        raise _mismatch(f"type matched to anyenum is not an enum type: {typenames.display(catalog, element)}")
    return element, array, range_type, multirange


def _element_from_array(catalog: Catalog, array: int, element: int) -> int:
    if not array or array == oids.ANYARRAY:
        return element
    found = catalog.element(array)
    if not found:
        raise _mismatch(f"argument declared anyarray is not an array but type {typenames.display(catalog, array)}")
    if element not in (0, found):
        raise _mismatch(
            "argument declared anyarray is not consistent with argument declared anyelement",
            f"{typenames.display(catalog, array)} versus {typenames.display(catalog, element)}",
        )
    return found


def _range_from_multirange(catalog: Catalog, multirange: int, range_type: int) -> int:
    if not multirange:
        return range_type
    found = catalog.multirange_of(multirange)
    if found is None:
        raise _mismatch(
            f"argument declared anymultirange is not a multirange type but type {typenames.display(catalog, multirange)}"
        )
    if range_type not in (0, found):
        raise _mismatch("argument declared anymultirange is not consistent with argument declared anyrange")
    return found


def _element_from_range(catalog: Catalog, range_type: int, element: int) -> int:
    if not range_type:
        return element
    found = catalog.range_of(range_type)
    if found is None:
        raise _mismatch(f"argument declared anyrange is not a range type but type {typenames.display(catalog, range_type)}")
    if element not in (0, found[0]):
        raise _mismatch("argument declared anyrange is not consistent with argument declared anyelement")
    return found[0]


def _second_family(catalog: Catalog, actual: Sequence[int], declared: Sequence[int]) -> tuple[int, int]:
    found: list[int] = []
    range_type = 0
    nonarray = False
    for given, wanted in zip(actual, declared, strict=False):
        if wanted not in oids.POLYMORPHIC_SECOND:
            continue
        nonarray |= wanted == oids.ANYCOMPATIBLENONARRAY
        if given == oids.UNKNOWN:
            continue
        base = catalog.base_type(given)
        if wanted in (oids.ANYCOMPATIBLE, oids.ANYCOMPATIBLENONARRAY):
            found.append(given)
        elif wanted == oids.ANYCOMPATIBLEARRAY:
            element = catalog.element(base)
            if not element:
                raise _mismatch(
                    f"argument declared anycompatiblearray is not an array but type {typenames.display(catalog, base)}"
                )
            found.append(element)
        else:
            base = catalog.multirange_of(base) or base if wanted in _MULTIRANGES else base
            subtype = catalog.range_of(base)
            if subtype is None or range_type not in (0, base):
                raise _mismatch(
                    f"argument declared anycompatiblerange is not a range type but type {typenames.display(catalog, base)}"
                )
            range_type = base
            found.append(subtype[0])
    common = _common(catalog, found)
    if nonarray and common and catalog.element(common):
        raise _mismatch(f"type matched to anycompatiblenonarray is an array type: {typenames.display(catalog, common)}")
    return common, range_type


def _common(catalog: Catalog, types: Sequence[int]) -> int:
    """select_common_type_from_oids: the same rule as for CASE branches, over types alone."""
    from translator.analyze.coerce import Context, can_coerce

    if not types:
        return 0
    if all(other == types[0] for other in types):
        return types[0]
    chosen = catalog.base_type(types[0])
    for type_oid in types[1:]:
        other = catalog.base_type(type_oid)
        if other == chosen:
            continue
        if catalog.type(other).category != catalog.type(chosen).category:
            raise _mismatch(
                "arguments of anycompatible family cannot be cast to a common type",
            )
        if (
            not catalog.type(chosen).preferred
            and can_coerce(catalog, [chosen], [other], Context.IMPLICIT)
            and not can_coerce(catalog, [other], [chosen], Context.IMPLICIT)
        ):
            chosen = other
    for type_oid in types:
        if not can_coerce(catalog, [type_oid], [chosen], Context.IMPLICIT):
            raise _mismatch("arguments of anycompatible family cannot be cast to a common type")
    return chosen


def enforce(catalog: Catalog, actual: Sequence[int], declared: Sequence[int], result: int) -> tuple[list[int], int]:
    """The concrete argument types and result type of a call. Raises 42804, 42P18 (enforce_generic_type_consistency)."""
    if result not in oids.POLYMORPHIC and not any(type_oid in oids.POLYMORPHIC for type_oid in declared):
        return list(declared), result
    found = resolve(catalog, actual, declared)
    if not found.element and any(type_oid in oids.POLYMORPHIC_FIRST for type_oid in declared) and found.array != oids.ANYARRAY:
        raise SqlError(codes.DATATYPE_MISMATCH, "could not determine polymorphic type because input has type unknown")
    if not found.compatible and any(type_oid in oids.POLYMORPHIC_SECOND for type_oid in declared):
        found = Resolution(found.element, found.array, found.range, found.multirange, oids.TEXT, found.compatible_range)
    concrete = _concrete(catalog, found)
    types = [concrete(type_oid) for type_oid in declared]
    for wanted, made in zip(declared, types, strict=True):
        if not made and wanted in oids.POLYMORPHIC:
            name = catalog.type(wanted).name
            raise SqlError(
                codes.DATATYPE_MISMATCH, f"could not determine polymorphic type {name} because input has type unknown"
            )
    return types, concrete(result)


def _concrete(catalog: Catalog, found: Resolution) -> Callable[[int], int]:
    def array_of(element: int) -> int:
        row = catalog.type_by_oid(element)
        if row is None or not row.array:
            raise SqlError(
                codes.UNDEFINED_OBJECT, f"could not find array type for data type {typenames.display(catalog, element)}"
            )
        return row.array

    def multirange_of(range_type: int) -> int:
        row = catalog.range_of(range_type)
        return row[1] if row is not None else 0

    def concrete(type_oid: int) -> int:
        match type_oid:
            case oids.ANYELEMENT | oids.ANYNONARRAY | oids.ANYENUM:
                return found.element
            case oids.ANYARRAY:
                return found.array or array_of(found.element)
            case oids.ANYRANGE:
                return found.range
            case oids.ANYMULTIRANGE:
                return found.multirange or multirange_of(found.range)
            case oids.ANYCOMPATIBLE | oids.ANYCOMPATIBLENONARRAY:
                return found.compatible
            case oids.ANYCOMPATIBLEARRAY:
                return array_of(found.compatible)
            case oids.ANYCOMPATIBLERANGE:
                return found.compatible_range
            case oids.ANYCOMPATIBLEMULTIRANGE:
                return multirange_of(found.compatible_range)
            case _:
                return type_oid

    return concrete
