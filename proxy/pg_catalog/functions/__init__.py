"""SQL functions that read the catalogs: declared in translator's registry when this package is imported.

inputs        pg_input_is_valid, pg_input_error_info
names         format_type, pg_get_userbyid, …_is_visible, pg_describe_object
definitions   pg_get_constraintdef, pg_get_indexdef, pg_get_viewdef, pg_get_expr, pg_get_serial_sequence
routines      pg_get_functiondef, pg_get_function_arguments, pg_get_function_result
privileges    has_…_privilege, pg_has_role, aclexplode, acldefault
sizes         pg_relation_size and kin
statistics    the counters of the pg_stat_… views
text_search   the default parser's token types
server        keywords, what psql asks of features that are not here
"""

from proxy.pg_catalog.functions import definitions, inputs, names, privileges, routines, server, sizes, statistics, text_search

__all__ = ["definitions", "inputs", "names", "privileges", "routines", "server", "sizes", "statistics", "text_search"]
