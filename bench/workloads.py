"""What is measured: the list."""

from __future__ import annotations

import functools

from bench import bulk, clients, orm, tasks, tpch, transactions
from bench.targets import IN_PYTHON
from bench.transactions import INSERT, UPDATE, WRITE, WRITE_IN_BLOCK, counters, scale, scripted, tps
from bench.workload import Workload


def _clients(name: str, script: str, floors: tuple[float, float, float]) -> list[Workload]:
    return [
        Workload(f"{name}, {count} clients", scripted(script, "-c", str(count)), counters, floor)
        for count, floor in zip((1, 8, 32), floors, strict=True)
    ]


WORKLOADS: list[Workload] = [
    *(
        Workload(f"select {mode}, {count} clients", tps("-S", "-M", mode, "-c", str(count)), scale(1), floor)
        for mode in ("simple", "extended", "prepared")
        for count, floor in ((1, 0.9), (8, 0.8), (32, 0.8))
    ),
    *_clients("insert a row", INSERT, (0.9, 1.0, 1.3)),
    *_clients("update a row", UPDATE, (0.9, 1.0, 1.3)),
    *(
        Workload(f"TPC-B-like scale {size} {mode}, {count} clients", tps("-M", mode, "-c", str(count)), scale(size), floor)
        for size, floor in ((1, 1.0), (10, 0.8))
        for mode in ("simple", "prepared")
        for count in (1, 8)
    ),
    Workload(
        "8 readers + 4 writers: readers' 99th percentile",
        transactions.mixed(WRITE, readers=True),
        transactions.readers_and_writers,
        1.0,
        "ms",
        smaller_is_better=True,
    ),
    Workload("8 readers + 4 writers: writers", transactions.mixed(WRITE, readers=False), transactions.readers_and_writers, 0.8),
    Workload(
        "8 readers + 4 writers: writers in transaction blocks",
        transactions.mixed(WRITE_IN_BLOCK, readers=False),
        transactions.readers_and_writers,
    ),
    Workload("SQLAlchemy sessions, 8 clients", clients.orm, orm.customers, 0.8),
    Workload("100,000 rows to psycopg, text", bulk.fetch_text, bulk.measurements, 0.9, "rows/s"),
    Workload("the same without the kernel", bulk.fetch_text, bulk.measurements, 0.6, "rows/s", ours=IN_PYTHON),
    Workload("100,000 rows to asyncpg, binary", bulk.fetch_binary, bulk.measurements, 0.9, "rows/s"),
    Workload("the same without the kernel", bulk.fetch_binary, bulk.measurements, 0.6, "rows/s", ours=IN_PYTHON),
    Workload("COPY FROM, 500,000 rows", bulk.copy_in, floor=0.8, unit="rows/s"),
    Workload("COPY TO, 500,000 rows", bulk.copy_out, floor=0.8, unit="rows/s"),
    Workload(
        "1,000 rows in a VALUES list, literals",
        functools.partial(bulk.many_values, parameters=False),
        bulk.pairs,
        0.4,
        "rows/s",
    ),
    Workload(
        "1,000 rows in a VALUES list, parameters",
        functools.partial(bulk.many_values, parameters=True),
        bulk.pairs,
        0.4,
        "rows/s",
    ),
    *(
        Workload(
            f"point queries beside {name}: 99th percentile",
            transactions.beside(statement),
            transactions.accounts,
            unit="times the quiet one",
            smaller_is_better=True,
            most=3.0,
        )
        for name, statement in transactions.HEAVY.items()
    ),
    Workload("connect and SELECT 1", clients.connect, floor=4.0),
    Workload("500 idle connections", clients.idle_memory, floor=10.0, unit="MB", smaller_is_better=True),
    Workload("200 statements not seen before", clients.cold, bulk.measurements, unit="statements/s"),
    *(
        Workload(f"TPC-H {name}, 1,000,000 line items", tpch.query(name), tpch.tables, unit="ms", smaller_is_better=True)
        for name in tpch.QUERIES
    ),
    Workload("astro list, a process each time", tasks.list_, tasks.add, unit="runs/s"),
]


def named(pattern: str) -> list[Workload]:
    """The workloads whose name contains the pattern."""
    return [workload for workload in WORKLOADS if pattern in workload.name]
