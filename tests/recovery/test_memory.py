"""Queries without end work on disk, as PostgreSQL's do beyond work_mem: the server's memory stays, and they can be ended."""

import threading
from pathlib import Path

import psycopg
import pytest

from tests.recovery.serving import killable

MOST_GROWTH = 64  # MB: caches of pages and of plans are part of it

WIDE = "repeat('x', 5000) AS x"
ENDLESS = {
    "a recursion that branches": f"""WITH RECURSIVE t AS (SELECT 1 AS n, {WIDE} UNION ALL
        SELECT n + v, x FROM t, (VALUES (1), (2)) AS w (v)) SELECT count(*) FROM t""",
    "a recursion that compares": f"""WITH RECURSIVE t AS (SELECT 1 AS n, {WIDE} UNION SELECT n + 1, x FROM t)
        SELECT count(*) FROM t""",
    "a recursion read twice": f"""WITH RECURSIVE t AS (SELECT 1 AS n, {WIDE} UNION ALL SELECT n + 1, x FROM t)
        SELECT count(*) FROM t AS a JOIN t AS b USING (n)""",
    "a sort": f"SELECT n, {WIDE} FROM generate_series(1, 1000000000) AS n ORDER BY random()",
    "a group": f"SELECT n, max(x) FROM (SELECT n, {WIDE} FROM generate_series(1, 1000000000) AS n) AS s GROUP BY n",
    "distinct rows": f"SELECT count(*) FROM (SELECT DISTINCT n, {WIDE} FROM generate_series(1, 1000000000) AS n) AS s",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with killable(tmp_path_factory.mktemp("memory")) as served:
        yield served.address


class Watch(threading.Thread):
    """Follows a process's resident memory, in MB, as a context."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()

    def __enter__(self):
        self.first = self.most = self._resident()
        self.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join()

    def run(self):
        while not self._ended.wait(0.02):
            self.most = max(self.most, self._resident())

    def _resident(self):
        return int(self._status.read_text().split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS)
def test_a_query_without_end(address, sql):
    with psycopg.connect(address.dsn, autocommit=True) as client:
        client.execute("SET statement_timeout = '1s'")
        with Watch(address.pid) as watch, pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            client.execute(sql)
    assert watch.most - watch.first < MOST_GROWTH


def test_a_result_without_end_that_is_read_slowly(address):
    """The server fetches no faster than the client reads, and stops when it goes."""
    sql = f"WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT n, {WIDE} FROM t"
    client = psycopg.connect(address.dsn, autocommit=True)
    with Watch(address.pid) as watch:
        for number, _ in enumerate(client.cursor().stream(sql)):
            if number == 2000:
                break
        threading.Event().wait(0.5)
    client.close()
    assert watch.most - watch.first < MOST_GROWTH
