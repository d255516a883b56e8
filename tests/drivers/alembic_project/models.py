"""Two states of a schema, with every kind of change between them that Alembic looks for."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


def before() -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(
        "account",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("email", sa.String(80), comment="where to write"),
        sa.Column("balance", sa.Numeric(10, 2), server_default="0"),
        sa.Column("mood", pg.ENUM("happy", "sad", name="mood")),
        sa.Column("created", sa.DateTime, server_default=sa.func.now()),
        sa.Column("goes", sa.Text),
        sa.UniqueConstraint("email", name="account_email"),
        sa.CheckConstraint("balance >= 0", name="account_balance"),
        sa.Index("account_name", "name"),
    )
    sa.Table("gone", metadata, sa.Column("id", sa.BigInteger, primary_key=True), comment="dropped later")
    sa.Table(
        "entry",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True, start=10, increment=5), primary_key=True),
        sa.Column("account_id", sa.ForeignKey("account.id", name="entry_account")),
        sa.Column("amount", sa.Integer),
        sa.Column("twice", sa.Integer, sa.Computed("seen * 2")),
        sa.Column("seen", sa.Integer),
    )
    return metadata


def after() -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(
        "account",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(100), nullable=True, comment="as it is spoken"),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("balance", sa.Numeric(12, 4), server_default="1.5"),
        sa.Column("mood", pg.ENUM("happy", "sad", name="mood")),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tags", pg.ARRAY(sa.Text), server_default="{}", nullable=False),
        sa.Column("facts", pg.JSONB(none_as_null=True)),
        sa.Column("key", sa.Uuid, server_default=sa.text("gen_random_uuid()")),
        sa.Column("during", pg.TSTZRANGE),
        sa.UniqueConstraint("key", name="account_key"),
        sa.CheckConstraint("balance >= 0", name="account_balance"),
        sa.Index("account_name", sa.text("lower(name)"), unique=True, postgresql_where=sa.text("name IS NOT NULL")),
        sa.Index("account_facts", "facts", postgresql_using="gin"),
        sa.Index("account_created", sa.text("created DESC"), postgresql_include=["name"]),
        comment="who pays",
    )
    sa.Table(
        "entry",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True, start=10, increment=5), primary_key=True),
        sa.Column("account_id", sa.ForeignKey("account.id", name="entry_account", ondelete="CASCADE", deferrable=True)),
        sa.Column("amount", sa.BigInteger, sa.CheckConstraint("amount <> 0", name="entry_amount")),
        sa.Column("twice", sa.Integer, sa.Computed("seen * 2")),
        sa.Column("seen", sa.Integer),
        sa.UniqueConstraint("account_id", "amount", name="entry_once", deferrable=True, initially="DEFERRED"),
    )
    sa.Table(
        "line",
        metadata,
        sa.Column("entry_id", sa.ForeignKey("entry.id"), primary_key=True),
        sa.Column("number", sa.SmallInteger, primary_key=True),
        sa.Column("took", sa.Interval),
        sa.Column("at", sa.Time),
        sa.Column("data", sa.LargeBinary),
        sa.Column("address", pg.INET),
        sa.Column("bits", pg.BIT(4)),
        sa.Column("level", sa.Enum("low", "high", name="level")),
        schema="books",
    )
    return metadata
