"""Every operation of Alembic's `op`, by hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "operations"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA other")
    op.execute(sa.text("CREATE TYPE colour AS ENUM ('red', 'green')"))
    colours = op.create_table(
        "colours",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("colour", pg.ENUM(name="colour", create_type=False), nullable=False),
        sa.Column("weight", sa.String(10)),
        sa.Column("old", sa.Boolean, server_default=sa.true()),
        comment="first",
    )
    op.bulk_insert(colours, [{"colour": "red", "weight": "10"}, {"colour": "green", "weight": None}])
    op.create_table(
        "shades", sa.Column("id", sa.Integer), sa.Column("of", sa.Integer), sa.Column("part", sa.Float), schema="other"
    )
    op.create_primary_key("shades_key", "shades", ["id"], schema="other")
    op.create_foreign_key(
        "shade_of",
        "shades",
        "colours",
        ["of"],
        ["id"],
        source_schema="other",
        onupdate="CASCADE",
        ondelete="SET NULL",
        initially="DEFERRED",
    )
    op.create_unique_constraint("shade_once", "shades", ["of", "part"], schema="other", postgresql_nulls_not_distinct=True)
    op.create_check_constraint("shade_part", "shades", sa.column("part").between(0, 1), schema="other")
    op.create_table_comment("colours", "second", existing_comment="first")
    op.add_column("colours", sa.Column("note", sa.Text, nullable=False, server_default="?"))
    op.alter_column("colours", "note", server_default=None)
    op.alter_column("colours", "weight", type_=sa.Integer, postgresql_using="coalesce(weight, '-1')::integer", nullable=False)
    op.alter_column("colours", "weight", new_column_name="mass", comment="in grams")
    op.alter_column("colours", "mass", server_default=sa.text("5 + 1"))
    op.alter_column("colours", "id", existing_type=sa.Integer, type_=sa.BigInteger)
    op.alter_column("shades", "id", server_default=sa.Identity(always=True, start=100), schema="other")
    op.drop_column("colours", "old")
    op.create_index("colours_mass", "colours", ["colour", sa.text("mass DESC")], postgresql_where=sa.text("mass > 0"))
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE colour ADD VALUE 'blue' BEFORE 'green'")
        op.create_index(
            "colours_note", "colours", ["note"], postgresql_concurrently=True, postgresql_ops={"note": "text_pattern_ops"}
        )
        op.drop_index("colours_mass", "colours", postgresql_concurrently=True)
    op.rename_table("shades", "tints", schema="other")
    with op.batch_alter_table("tints", schema="other") as batch:
        batch.add_column(sa.Column("name", sa.String(5)))
        batch.alter_column("part", nullable=False, existing_type=sa.Float)
        batch.drop_constraint("shade_part", type_="check")
    op.execute("CREATE VIEW heavy AS SELECT id, colour FROM colours WHERE mass > 1")
    op.get_bind().execute(sa.text("INSERT INTO other.tints (of, part) VALUES (:of, 0.5)"), {"of": 1})


def downgrade() -> None:
    op.execute("DROP VIEW heavy")
    op.drop_constraint("shade_of", "tints", type_="foreignkey", schema="other")
    op.drop_constraint("shades_key", "tints", type_="primary", schema="other")
    op.alter_column("tints", "id", existing_server_default=sa.Identity(), server_default=None, schema="other")
    op.alter_column(
        "colours",
        "mass",
        type_=sa.String(10),
        postgresql_using="abs(mass)::text",
        nullable=True,
        new_column_name="weight",
    )
    op.drop_table_comment("colours", existing_comment="second")
    op.drop_index("colours_note")
    op.drop_table("tints", schema="other")
