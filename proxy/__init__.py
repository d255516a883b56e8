"""The server: it accepts PostgreSQL connections and keeps their data in SQLite files."""
