"""What makes a connection see the system catalogs whole: temp views that unite PostgreSQL's rows with the user's.

`"pg_catalog.all.pg_class"` has the static rows in pgcat, the database's own in main, and those of the session's temporary
objects. It is what `Relation.storage` names for a catalog with `where = "both"`.
"""

from functools import cache

from proxy.pg_catalog.relations import (
    STATIC_FILTERS,
    USER_CATALOGS,
    Statements,
    is_bootstrapped,
    storage_name,
    united_name,
    user_catalog,
)


def install_views(connection: Statements) -> None:
    """Create the views, or create them again with temporary objects once there are any. `pgcat` must be attached."""
    connection.execute(_script(is_bootstrapped(connection, "temp")))


@cache
def _script(temporary: bool) -> str:
    return "\n".join(_view(catalog, temporary) for catalog in USER_CATALOGS)


def _view(catalog: str, temporary: bool) -> str:
    columns = ", ".join(f'"{column.name}"' for column in user_catalog(catalog).columns)
    condition = f" WHERE {STATIC_FILTERS[catalog]}" if catalog in STATIC_FILTERS else ""
    sources = [f'pgcat."{catalog}"{condition}', storage_name(catalog)]
    if temporary:
        sources.append(storage_name(catalog, "temp"))
    query = " UNION ALL ".join(f"SELECT {columns} FROM {source}" for source in sources)
    name = f'temp."{united_name(catalog)}"'
    return f"DROP VIEW IF EXISTS {name}; CREATE VIEW {name} AS {query};"
