"""SQLAlchemy 2 with declarative models, on psycopg and on asyncpg: create_all, CRUD, eager loading, reflection."""

import asyncio
import datetime as dt
import enum
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload

from tests.harness.client import Address

pytestmark = pytest.mark.drivers


class Base(DeclarativeBase):
    pass


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


tagged = sa.Table(
    "tagged",
    Base.metadata,
    sa.Column("book_id", ForeignKey("book.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag_id", ForeignKey("tag.id"), primary_key=True),
)


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True)
    born: Mapped[dt.date | None]
    settings: Mapped[dict[str, object]] = mapped_column(pg.JSONB, default=dict)
    books: Mapped[list["Book"]] = relationship(back_populates="author", cascade="all, delete-orphan", order_by="Book.id")


class Book(Base):
    __tablename__ = "book"
    __table_args__ = (
        sa.CheckConstraint("price >= 0", name="price_positive"),
        sa.Index("book_title_lower", sa.text("lower(title)")),
        sa.UniqueConstraint("author_id", "title", name="one_title"),
    )
    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    key: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    title: Mapped[str] = mapped_column(sa.Text, index=True)
    price: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2), server_default="0")
    colour: Mapped[Colour] = mapped_column(sa.Enum(Colour, name="colour"), default=Colour.RED)
    words: Mapped[list[str]] = mapped_column(pg.ARRAY(sa.Text), default=list)
    added: Mapped[dt.datetime] = mapped_column(sa.DateTime(timezone=True), server_default=func.now())
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id", name="book_author"))
    author: Mapped[Author] = relationship(back_populates="books")
    tags: Mapped[list["Tag"]] = relationship(secondary=tagged, order_by="Tag.id")


class Tag(Base):
    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


Work = Callable[[Session], None]


def with_psycopg(database: Address, *programs: Work) -> None:
    engine = sa.create_engine(database.dsn.replace("postgresql://", "postgresql+psycopg://"))
    try:
        Base.metadata.create_all(engine)
        for program in programs:
            with Session(engine) as session:
                program(session)
                session.commit()
    finally:
        engine.dispose()


def with_asyncpg(database: Address, *programs: Work) -> None:
    async def main() -> None:
        engine = create_async_engine(database.dsn.replace("postgresql://", "postgresql+asyncpg://"))
        try:
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            for program in programs:
                async with AsyncSession(engine) as session:
                    await session.run_sync(program)
                    await session.commit()
        finally:
            await engine.dispose()

    asyncio.run(main())


def fill(session: Session) -> None:
    tags = [Tag(name="old"), Tag(name="new")]
    ann = Author(name="Ann", born=dt.date(1980, 2, 29), settings={"theme": {"dark": True}})
    ann.books = [
        Book(title="First", price=Decimal("9.90"), tags=tags, words=["a", "b,c"]),
        Book(title="Second", colour=Colour.BLUE),
    ]
    session.add_all([ann, Author(name="Bob"), *(Author(name=f"n{number}") for number in range(30))])


def read(session: Session) -> None:
    ann = session.scalars(
        select(Author).where(Author.name == "Ann").options(selectinload(Author.books).selectinload(Book.tags))
    ).one()
    assert [book.title for book in ann.books] == ["First", "Second"]
    first, second = ann.books
    assert (first.price, first.words, first.colour) == (Decimal("9.90"), ["a", "b,c"], Colour.RED)
    assert (second.price, second.words, second.colour) == (Decimal("0.00"), [], Colour.BLUE)
    assert [tag.name for tag in first.tags] == ["old", "new"]
    assert first.added.tzinfo is not None
    assert isinstance(first.key, uuid.UUID)
    assert (ann.born, ann.settings) == (dt.date(1980, 2, 29), {"theme": {"dark": True}})
    joined = session.scalars(select(Book).options(joinedload(Book.author)).order_by(Book.id)).all()
    assert [book.author.name for book in joined] == ["Ann", "Ann"]


def query(session: Session) -> None:
    rows = session.execute(
        select(Author.name, func.count(Book.id), func.coalesce(func.sum(Book.price), 0))
        .outerjoin(Book)
        .where(Author.name.in_(["Ann", "Bob"]))
        .group_by(Author.id)
        .order_by(Author.name)
    ).all()
    assert [tuple(row) for row in rows] == [("Ann", 2, Decimal("9.90")), ("Bob", 0, Decimal(0))]
    dark = select(Author.name).where(Author.settings["theme"]["dark"].as_boolean())
    assert session.scalars(dark).all() == ["Ann"]
    assert session.scalars(select(Book.title).where(Book.words.contains(["a"]))).all() == ["First"]
    latest = select(Book).ext(pg.distinct_on(Book.author_id)).order_by(Book.author_id, Book.id.desc())
    assert [book.title for book in session.scalars(latest)] == ["Second"]
    ranked = select(Book.title, func.row_number().over(order_by=Book.price.desc())).order_by(sa.text("2"))
    assert [tuple(row) for row in session.execute(ranked)] == [("First", 1), ("Second", 2)]
    assert session.scalar(select(func.count()).select_from(Author)) == 32
    page = session.scalars(select(Author.name).where(Author.name.ilike("N%")).order_by(Author.id).limit(2).offset(3)).all()
    assert page == ["n3", "n4"]


def change(session: Session) -> None:
    upsert = pg.insert(Author).values(name="Bob", born=dt.date(2000, 1, 1), settings={})
    upsert = upsert.on_conflict_do_update(index_elements=[Author.name], set_={"born": upsert.excluded.born})
    assert session.scalar(upsert.returning(Author.born)) == dt.date(2000, 1, 1)
    session.execute(sa.update(Book).where(Book.title == "Second").values(price=Book.price + Decimal("1.25")))
    assert session.scalar(select(Book.price).where(Book.title == "Second")) == Decimal("1.25")
    with pytest.raises(IntegrityError, match="one_title"), session.begin_nested():
        session.add(Book(title="First", author=session.get_one(Author, 1)))
        session.flush()
    with pytest.raises(IntegrityError, match="price_positive"), session.begin_nested():
        session.execute(sa.update(Book).values(price=-1))
    ann = session.get_one(Author, 1)
    session.delete(ann.books[0])
    session.flush()
    assert session.scalar(select(func.count()).select_from(tagged)) == 0
    session.expire(ann)
    session.delete(ann)
    session.flush()
    assert session.scalar(select(func.count()).select_from(Book)) == 0


@pytest.mark.parametrize("engine", [with_psycopg, with_asyncpg])
def test_a_model_lives(database: Address, engine: Callable[..., None]) -> None:
    engine(database, fill, read, query, change)


def test_create_all_twice_and_drop_all(database: Address) -> None:
    engine = sa.create_engine(database.dsn.replace("postgresql://", "postgresql+psycopg://"))
    try:
        Base.metadata.create_all(engine)
        Base.metadata.create_all(engine)
        assert sa.inspect(engine).get_table_names() != []
        Base.metadata.drop_all(engine)
        assert sa.inspect(engine).get_table_names() == []
    finally:
        engine.dispose()


def test_reflection_gives_the_schema_back(database: Address) -> None:
    engine = sa.create_engine(database.dsn.replace("postgresql://", "postgresql+psycopg://"))
    try:
        Base.metadata.create_all(engine)
        inspector = sa.inspect(engine)
        assert sorted(inspector.get_table_names()) == ["author", "book", "tag", "tagged"]
        columns: dict[str, Any] = {column["name"]: column for column in inspector.get_columns("book")}
        assert list(columns) == ["id", "key", "title", "price", "colour", "words", "added", "author_id"]
        assert isinstance(columns["id"]["identity"], dict)
        assert (columns["price"]["type"].precision, columns["price"]["type"].scale) == (10, 2)
        assert columns["colour"]["type"].enums == ["RED", "BLUE"]
        assert columns["added"]["type"].timezone is True
        assert columns["added"]["default"] == "now()"
        assert [str(columns[name]["type"]) for name in ("key", "title", "words")] == ["UUID", "TEXT", "ARRAY"]
        assert inspector.get_pk_constraint("tagged")["constrained_columns"] == ["book_id", "tag_id"]
        (key,) = inspector.get_foreign_keys("book")
        assert (key["name"], key["constrained_columns"], key["referred_table"]) == ("book_author", ["author_id"], "author")
        assert {key["options"].get("ondelete") for key in inspector.get_foreign_keys("tagged")} == {"CASCADE", None}
        assert inspector.get_unique_constraints("book")[0]["column_names"] == ["author_id", "title"]
        assert inspector.get_check_constraints("book")[0]["sqltext"] == "price >= 0::numeric"
        assert {index["name"] for index in inspector.get_indexes("book")} == {"book_title_lower", "ix_book_title", "one_title"}
        assert [found["name"] for found in cast(pg.base.PGInspector, inspector).get_enums()] == ["colour"]
        reflected = sa.MetaData()
        reflected.reflect(engine)
        assert set(reflected.tables) == {"author", "book", "tag", "tagged"}
        assert reflected.tables["book"].c.author_id.references(reflected.tables["author"].c.id)
    finally:
        engine.dispose()
