"""Three queries of TPC-H at a million line items: over one table, with joins, and a selective scan."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import date, timedelta

import psycopg

from bench.targets import Target
from bench.workload import Measured

_LINES = 1_000_000
_ORDERS = 250_000
_CUSTOMERS = 25_000
_SEGMENTS = ("AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY")

_TABLES = """
DROP TABLE IF EXISTS lineitem, orders, customer;
CREATE TABLE customer (c_custkey int PRIMARY KEY, c_mktsegment text NOT NULL);
CREATE TABLE orders (
    o_orderkey int PRIMARY KEY, o_custkey int NOT NULL, o_orderdate date NOT NULL, o_shippriority int NOT NULL
);
CREATE TABLE lineitem (
    l_orderkey int, l_linenumber int, l_quantity numeric(12,2) NOT NULL, l_extendedprice numeric(12,2) NOT NULL,
    l_discount numeric(12,2) NOT NULL, l_tax numeric(12,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
    l_shipdate date NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber)
);
"""

QUERIES = {
    "Q1": """
        SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum(l_extendedprice * (1 - l_discount)),
            sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
        FROM lineitem WHERE l_shipdate <= date '1998-12-01' - interval '90 days'
        GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus""",
    "Q3": """
        SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
        FROM customer, orders, lineitem
        WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
            AND o_orderdate < date '1995-03-15' AND l_shipdate > date '1995-03-15'
        GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate LIMIT 10""",
    "Q6": """
        SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem
        WHERE l_shipdate >= date '1994-01-01' AND l_shipdate < date '1994-01-01' + interval '1 year'
            AND l_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND l_quantity < 24""",
}


def tables(target: Target) -> None:
    """Fill the tables, the same on every server, unless they are there."""
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('lineitem')").fetchone() != (None,):
            return
        connection.execute(_TABLES)
        chosen = random.Random(1)
        first = date(1992, 1, 1)
        days = [str(first + timedelta(days=day)) for day in range(2526)]
        _copy(connection, "customer", (f"{key}\t{chosen.choice(_SEGMENTS)}\n" for key in range(1, _CUSTOMERS + 1)))
        dates = [chosen.randrange(2400) for _ in range(_ORDERS)]
        orders = (f"{key}\t{chosen.randint(1, _CUSTOMERS)}\t{days[day]}\t0\n" for key, day in enumerate(dates, 1))
        _copy(connection, "orders", orders)
        _copy(connection, "lineitem", (_line(number, chosen, dates, days) for number in range(_LINES)))
        connection.execute("ANALYZE")


def _line(number: int, chosen: random.Random, dates: list[int], days: list[str]) -> str:
    order, line = divmod(number, _LINES // _ORDERS)
    quantity = chosen.randint(1, 50)
    price = quantity * chosen.randint(90_000, 200_000)
    day = dates[order] + chosen.randint(1, 121)
    flag = chosen.choice("AR") if day < 1262 else "N"
    return (
        f"{order + 1}\t{line + 1}\t{quantity}.00\t{price // 100}.{price % 100:02}\t0.{chosen.randint(0, 10):02}"
        f"\t0.{chosen.randint(0, 8):02}\t{flag}\t{'F' if day < 1262 else 'O'}\t{days[day]}\n"
    )


def _copy(connection: psycopg.Connection, table: str, lines) -> None:
    with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        block: list[str] = []
        for line in lines:
            block.append(line)
            if len(block) == 10_000:
                copy.write("".join(block))
                block.clear()
        copy.write("".join(block))


def query(name: str) -> Callable[[Target, float], Measured]:
    """The milliseconds that a query takes."""

    def run(target: Target, seconds: float) -> Measured:
        with psycopg.connect(target.dsn(), autocommit=True) as connection:
            started = time.perf_counter()
            connection.execute(QUERIES[name]).fetchall()
            return Measured((time.perf_counter() - started) * 1000, 1)

    return run
