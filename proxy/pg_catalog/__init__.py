"""The system catalogs: the rows that every PostgreSQL has, and those of the user's objects, as relations to query."""

from proxy.storage.connection import SystemCatalog


def system_catalog() -> SystemCatalog:
    """What storage needs of the catalogs, which it does not know: the static file, the tables, the views."""
    from proxy.pg_catalog.relations import bootstrap
    from proxy.pg_catalog.static import ensure_static_catalog
    from proxy.pg_catalog.views import install_views

    return SystemCatalog(ensure_static_catalog(), bootstrap, install_views)
