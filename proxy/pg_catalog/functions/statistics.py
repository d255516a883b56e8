"""The counters behind pg_stat_user_tables, pg_statio_user_indexes, pg_stat_database and their kin.

None of these is counted, so they say what PostgreSQL says with track_counts = off: zero, and no time. Monitoring tools and
schema readers (drizzle-kit asks pg_stat_user_indexes for names) get the rows that they expect.

Not here: pg_stat_activity, which is live (session/activity.py), and what is counted (session/database_statistics.py).
"""

from typing import Final

from translator.functions.registry import template

_RELATION_COUNTS: Final = (
    *("numscans", "tuples_returned", "tuples_fetched", "tuples_inserted", "tuples_updated", "tuples_deleted"),
    *("tuples_hot_updated", "tuples_newpage_updated", "blocks_fetched", "blocks_hit"),
)
_COUNTS: Final = (
    *_RELATION_COUNTS,
    *(f"xact_{name}" for name in _RELATION_COUNTS),
    *("live_tuples", "dead_tuples", "mod_since_analyze", "ins_since_vacuum"),
    *("vacuum_count", "autovacuum_count", "analyze_count", "autoanalyze_count"),
    *("db_blocks_fetched", "db_blocks_hit"),
    *("db_tuples_returned", "db_tuples_fetched", "db_tuples_inserted", "db_tuples_updated", "db_tuples_deleted"),
    *("db_temp_files", "db_temp_bytes", "db_conflict_all", "db_conflict_bufferpin", "db_conflict_lock"),
    *("db_conflict_logicalslot", "db_conflict_snapshot", "db_conflict_startup_deadlock", "db_conflict_tablespace"),
    *("db_sessions_abandoned", "db_sessions_fatal", "db_sessions_killed"),
    *("db_checksum_failures", "db_parallel_workers_launched", "db_parallel_workers_to_launch"),
)
_DURATIONS: Final = (
    *("total_vacuum_time", "total_autovacuum_time", "total_analyze_time", "total_autoanalyze_time"),
    *("db_session_time", "db_active_time", "db_idle_in_transaction_time", "db_blk_read_time", "db_blk_write_time"),
)
# A function that was never counted has no entry.
_NOTHING: Final = (
    *("lastscan", "last_vacuum_time", "last_autovacuum_time", "last_analyze_time", "last_autoanalyze_time"),
    "db_checksum_last_failure",
    *("function_calls", "function_total_time", "function_self_time"),
    *("xact_function_calls", "xact_function_total_time", "xact_function_self_time"),
)

for _names, _value in ((_COUNTS, "0"), (_DURATIONS, "0.0"), (_NOTHING, "NULL")):
    for _name in _names:
        template(f"pg_stat_get_{_name}", f"iif($1 IS NULL, NULL, {_value})")
