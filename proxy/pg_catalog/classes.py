"""OIDs of the catalogs that name a class of objects in pg_depend, pg_description and their kin, and of a few rows."""

PG_TYPE = 1247
PG_ATTRIBUTE = 1249
PG_PROC = 1255
PG_CLASS = 1259
PG_AUTHID = 1260
PG_DATABASE = 1262
PG_ATTRDEF = 2604
PG_CONSTRAINT = 2606
PG_NAMESPACE = 2615
PG_OPERATOR = 2617
PG_REWRITE = 2618
PG_TRIGGER = 2620
PG_CAST = 2605
PG_EXTENSION = 3079
PG_COLLATION = 3456
PG_DEFAULT_ACL = 826
PG_TABLESPACE = 1213
PG_AM = 2601
PG_LANGUAGE = 2612
PG_OPCLASS = 2616
PG_OPFAMILY = 2753

FIRST_UNPINNED_OID = 12000  # access/transam.h: objects below are part of the system and need no dependencies
PUBLIC_NAMESPACE = 2200  # the exception: it may be dropped

BTREE = 403
HEAP = 2

RELATION_KINDS = {
    "r": "table",
    "p": "table",
    "v": "view",
    "m": "materialized view",
    "S": "sequence",
    "i": "index",
    "I": "index",
    "c": "composite type",
    "f": "foreign table",
    "t": "toast table",
}
