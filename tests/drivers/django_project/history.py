"""Migrate forwards and backwards, and print as JSON what the database was like at every stop."""

import io
import json
import os
import sys
from urllib.parse import urlsplit

import django
from django.core.management import call_command

from tests.harness.client import Address
from tests.harness.schema import rows_of, schema_of

MIGRATIONS = ["0001", "0002", "0003", "0004", "0005", "0006"]
STOPS = [*MIGRATIONS, "0005", "0003", "0001", "zero", "0006"]


def main() -> None:
    url = urlsplit(os.environ["DSN"])
    database = Address(str(url.hostname), url.port or 0, str(url.username), url.path.removeprefix("/"))
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)  # exits with 1 if there are changes
    models = io.StringIO()
    call_command("inspectdb", stdout=models)
    call_command("migrate", "shop", "zero", verbosity=0)
    history = []
    for stop in STOPS:
        call_command("migrate", "shop", stop, verbosity=0)
        schema = schema_of(database)
        tables = [
            row[1] for row in schema["relations"] if row[2] == "r" and (row[1].startswith("shop") or row[1] == "purchase")
        ]
        history.append({"stop": stop, "schema": schema, "rows": rows_of(database, tables)})
    json.dump({"models": models.getvalue(), "history": history}, sys.stdout, default=str)


main()
