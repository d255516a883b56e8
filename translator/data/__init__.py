"""What every PostgreSQL database contains: rows, views, keywords, read from a real server and kept as text.

A row that a client sees before it has created anything comes from here: the types, functions, operators and casts that
parse analysis chooses from, the description of the catalogs themselves, the comments, the text search dictionaries,
the features of information_schema, and the defaults of the run-time parameters. OIDs are PostgreSQL's.

    catalog/pg_type.tsv …     the rows, a file a relation     -> `load("pg_type")`
    catalog/information_schema.sql_features.tsv, …            -> `load("information_schema.sql_features")`
    catalog/pg_settings.tsv   boot values of run-time parameters (a view in PostgreSQL, as is pg_roles)
    catalog/keywords.tsv      pg_get_keywords()               -> `load("keywords")`
    catalog/digest.txt        names the content of the above  -> `catalog_digest()`
    views.sql                 the views of both schemas       -> `view_definitions()`
    generate.py               reads all that from a PostgreSQL 18 (sqlstates.py: the SQLSTATEs); run by hand
    loader.py                 the functions on the right

A relation without a file has no rows in a fresh database; its columns are rows of pg_attribute like those of all others.
To move to another version of PostgreSQL, run generate.py against it and read the diff.
"""

from translator.data.loader import Rows, catalog_digest, load, relation_names, view_definitions

__all__ = ["Rows", "catalog_digest", "load", "relation_names", "view_definitions"]
