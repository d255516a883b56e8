"""Records what PostgreSQL's status bytes are along random walks through transactions: transaction_walks.json.

    python tests/unit/session/record_transaction_walks.py HOST PORT

Every step is the SQL of an event of proxy/session/transaction.py, sent as a simple query of its own.
"""

import json
import random
import sys
from pathlib import Path

import psycopg
from psycopg.pq.abc import PGconn

EVENTS = {
    "STATEMENT": "SELECT 1",
    "BEGIN": "BEGIN",
    "COMMIT": "COMMIT",
    "COMMIT_AND_CHAIN": "COMMIT AND CHAIN",
    "ROLLBACK": "ROLLBACK",
    "ROLLBACK_AND_CHAIN": "ROLLBACK AND CHAIN",
    "SAVEPOINT": "SAVEPOINT a",
    "RELEASE": "RELEASE a",
    "ROLLBACK_TO": "ROLLBACK TO a",
    "ERROR": "SELECT 1/0",
}
STATUS = {
    psycopg.pq.TransactionStatus.IDLE: "I",
    psycopg.pq.TransactionStatus.INTRANS: "T",
    psycopg.pq.TransactionStatus.INERROR: "E",
}


def walk(connection: PGconn, steps: list[str]) -> list[list[str | None]]:
    """Event, SQLSTATE of the error if there was one, status byte afterwards."""
    taken: list[list[str | None]] = []
    for event in steps:
        result = connection.exec_(EVENTS[event].encode())
        state = (
            result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
            if result.status == psycopg.pq.ExecStatus.FATAL_ERROR
            else None
        )
        taken.append(
            [event, state.decode() if state else None, STATUS[psycopg.pq.TransactionStatus(connection.transaction_status)]]
        )
    return taken


def main(host: str, port: str) -> None:
    numbers = random.Random(18)
    weights = [4, 4, 1, 1, 1, 1, 4, 2, 3, 2]
    connection = psycopg.pq.PGconn.connect(f"host={host} port={port} user=postgres dbname=postgres".encode())
    walks = []
    for _ in range(120):
        walks.append(walk(connection, numbers.choices(list(EVENTS), weights, k=25)))
        connection.exec_(b"ROLLBACK")
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in walks)
    Path(__file__).with_name("transaction_walks.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
