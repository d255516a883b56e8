"""What catalog functions read of the statement that calls them: its connection, catalog, search path and user."""

from typing import Any

from proxy.pg_catalog.describe import Describer
from translator.catalog import Catalog
from translator.settings import runtime


def connection() -> Any:
    """The SQLite connection that runs the statement; the catalog's own when there is no session."""
    session = runtime.session
    found = None if session is None else session.sequences.connection
    return catalog().source.connection if found is None else found  # type: ignore[attr-defined]


def catalog() -> Catalog:
    """The catalog snapshot that the statement was compiled with."""
    found: Catalog = runtime.catalog
    return found


def path() -> list[int]:
    """The schemas that an unqualified name is looked for in."""
    settings = runtime.settings
    return catalog().search_path(settings.search_path, settings.user)


def describer() -> Describer:
    """Words for objects, as the session's search path sees them."""
    return Describer(connection(), catalog(), path())
