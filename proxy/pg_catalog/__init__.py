"""The system catalogs: the rows that every PostgreSQL has, and those of the user's objects, as relations to query."""
