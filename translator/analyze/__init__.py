"""Parse analysis: names, types, coercions and parameters of a raw parse tree, as PostgreSQL resolves them."""
