"""Random date, time and interval input, read by PostgreSQL and by us. The seed is in the test's name."""

from __future__ import annotations

import random

import psycopg
import pytest

from translator.errors import SqlError
from translator.settings import Settings
from translator.types.registry import builtin
from translator.types.timezones import find_zone

OIDS = {"date": 1082, "time": 1083, "timestamp": 1114, "timestamptz": 1184, "interval": 1186, "timetz": 1266}
MONTHS = ["jan", "Feb", "MARCH", "apr", "may", "june", "Jul", "aug", "sept", "october", "nov", "dec"]
ZONES = ["Z", "PST", "+02", "-08:00", "+05:30", "-0330", "America/New_York", "europe/moscow", "GMT+3", "MSK", "foo", "+16"]
UNITS = ["us", "ms", "s", "sec", "min", "hours", "d", "days", "week", "mon", "months", "y", "decade", "c", "ago", "foo"]

# Reads the text as PostgreSQL would, but answers an error as a row: SQLSTATE and message.
QUERY = """
    SELECT coalesce(e.sql_error_code || ' ' || e.message, 'ok'),
           CASE WHEN e.message IS NULL THEN CASE t.type
               WHEN 'date' THEN t.value::date::text WHEN 'time' THEN t.value::time::text
               WHEN 'timetz' THEN t.value::timetz::text WHEN 'timestamp' THEN t.value::timestamp::text
               WHEN 'timestamptz' THEN t.value::timestamptz::text ELSE t.value::interval::text END END
    FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS t(type, value, n), pg_input_error_info(t.value, t.type) AS e
    ORDER BY t.n
"""


def random_date(rng: random.Random) -> str:
    year = rng.choice([str(rng.randint(1900, 2100)), str(rng.randint(0, 99)), str(rng.randint(0, 12000))])
    month = rng.choice([*MONTHS, str(rng.randint(0, 14)), f"{rng.randint(1, 12):02d}"])
    parts = [year, month, str(rng.randint(0, 33))]
    if rng.random() < 0.3:
        rng.shuffle(parts)
    forms = [rng.choice("-/. ").join(parts), f"J{rng.randint(0, 5_000_000)}", f"{year}.{rng.randint(0, 370):03d}", "infinity"]
    return rng.choices(forms, [8, 1, 1, 1])[0]


def random_time(rng: random.Random) -> str:
    hour, minute, second = rng.randint(0, 25), rng.randint(0, 61), rng.randint(0, 61)
    fraction = rng.choice(["", ".5", ".123456", ".9999999"])
    return rng.choice([f"{hour:02d}:{minute:02d}:{second:02d}{fraction}", f"{hour}:{minute:02d} pm", f"{hour:02d}{minute:02d}"])


def random_interval(rng: random.Random) -> str:
    number = rng.choice(["", "-"]) + rng.choice([str(rng.randint(0, 40)), "1.5", ".333", str(rng.randint(0, 4 * 10**9))])
    words = " ".join(f"{number} {rng.choice(UNITS)}" for _ in range(rng.randint(1, 3)))
    return rng.choice(
        [words, f"{words} {random_time(rng)}", f"{number} {random_time(rng)}", f"P{rng.randint(0, 9)}Y{number}MT1H"]
    )


def random_input(rng: random.Random) -> tuple[str, str]:
    type = rng.choice(list(OIDS))
    match type:
        case "interval":
            return type, random_interval(rng)
        case "date":
            return type, random_date(rng)
    date = "" if type.startswith("time") and type != "timestamp" and rng.random() < 0.2 else random_date(rng) + rng.choice(" T")
    return type, date + random_time(rng) + (rng.choice(["", " "]) + rng.choice(ZONES) if rng.random() < 0.4 else "")


def read(type: str, text: str, settings: Settings) -> tuple[str, str | None]:
    implementation = builtin(OIDS[type])
    try:
        return "ok", implementation.output(implementation.input(text, settings), settings)
    except SqlError as error:
        return f"{error.sqlstate} {error.message}", None


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("order", ["MDY", "DMY", "YMD"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_input_as_postgres_reads_it(oracle, zone, order, seed):
    rng = random.Random(f"{zone} {order} {seed}")
    inputs = [random_input(rng) for _ in range(500)]
    with psycopg.connect(oracle.dsn, autocommit=True) as connection:
        connection.execute(f"SET timezone = '{zone}'")
        connection.execute(f"SET datestyle = 'ISO, {order}'")
        expected = connection.execute(QUERY, [[type for type, _ in inputs], [text for _, text in inputs]]).fetchall()
    settings = Settings(timezone_name=zone, timezone=find_zone(zone) or pytest.fail(zone), date_order=order)
    different = [
        (case, answer, ours) for case, answer in zip(inputs, expected, strict=True) if (ours := read(*case, settings)) != answer
    ]
    assert different == []
