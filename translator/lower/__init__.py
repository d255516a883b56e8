"""From PostgreSQL's meaning to SQLite's constructs: rules over the typed tree, in the order of rules.py."""
