"""The rules, in the order in which they run. Each is a function of a typed tree and gives a typed tree.

First whole queries change their shape while expressions still mean what analysis said; then constructs become SQLite's;
last come storage forms and the calls of implementations, which look at single nodes.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from translator.lower.comparisons import like_patterns
from translator.lower.computed_frames import computed_frames
from translator.lower.constants import constant_calls
from translator.lower.distinct_on import distinct_on
from translator.lower.expressions import constructs
from translator.lower.functions import calls, distinct_arguments
from translator.lower.gathered import gathered
from translator.lower.grouping_sets import grouping_sets, whole_groups
from translator.lower.json_paths import json_paths
from translator.lower.keys import distinct_by_key, set_operations, sort_keys
from translator.lower.lateral import lateral
from translator.lower.limits import correlated_limits, limits
from translator.lower.lowering import Lowering
from translator.lower.outer_aggregates import outer_aggregates
from translator.lower.padding import padding
from translator.lower.projected_sets import set_returning_targets
from translator.lower.relations import empty_select_lists, relations
from translator.lower.row_locks import row_locks
from translator.lower.set_returning import functions_in_from
from translator.lower.sql_functions import sql_functions
from translator.lower.storage_form import loads, stored_comparisons
from translator.lower.values import correlated_values
from translator.lower.volatile import evaluated_in_order, evaluated_once
from translator.lower.window_frames import window_frames
from translator.lower.with_ties import with_ties

Rule = Callable[[exp.Expr, Lowering], exp.Expr]

RULES: tuple[Rule, ...] = (
    gathered,
    constant_calls,
    set_returning_targets,
    evaluated_in_order,
    outer_aggregates,
    sql_functions,
    grouping_sets,
    whole_groups,
    computed_frames,
    distinct_on,
    with_ties,
    correlated_limits,
    distinct_by_key,
    set_operations,
    correlated_values,
    lateral,
    functions_in_from,
    constructs,
    relations,
    empty_select_lists,
    distinct_arguments,
    window_frames,
    sort_keys,
    like_patterns,
    stored_comparisons,
    loads,
    padding,
    limits,
    row_locks,
    evaluated_once,
    json_paths,
    calls,
)


def lower(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Run all rules."""
    for rule in RULES:
        tree = rule(tree, lowering)
    return tree
