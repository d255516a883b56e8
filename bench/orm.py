"""A client of the ORM workload, a process of its own: `python -m bench.orm DSN SECONDS`."""

from __future__ import annotations

import random
import sys
import time

from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from bench.targets import Target

_CUSTOMERS = 1_000


class Base(DeclarativeBase):
    """The mapped classes."""


class Customer(Base):
    """A customer with orders."""

    __tablename__ = "orm_customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    total: Mapped[int]
    orders: Mapped[list[Order]] = relationship(back_populates="customer")


class Order(Base):
    """An order."""

    __tablename__ = "orm_orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("orm_customers.id"), index=True)
    amount: Mapped[int]
    customer: Mapped[Customer] = relationship(back_populates="orders")


def _url(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+psycopg://")


def customers(target: Target) -> None:
    """The tables, with customers in them."""
    engine = create_engine(_url(target.dsn()))
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Customer(id=number, name=f"customer {number}", total=0) for number in range(1, _CUSTOMERS + 1))
        session.commit()
    engine.dispose()


def work(session: Session) -> None:
    """One unit of work."""
    wanted = select(Customer).where(Customer.id == random.randint(1, _CUSTOMERS)).options(selectinload(Customer.orders))
    customer = session.scalars(wanted).one()
    amount = random.randint(1, 100)
    customer.orders.append(Order(amount=amount))
    customer.total += amount
    if len(customer.orders) > 10:
        session.delete(customer.orders[0])
    session.commit()


def main() -> None:
    """Wait for a line, work for some seconds, say how often."""
    dsn, seconds = sys.argv[1:]
    done = 0
    with Session(create_engine(_url(dsn))) as session:
        work(session)
        print("ready", flush=True)
        sys.stdin.readline()
        end = time.perf_counter() + float(seconds)
        while time.perf_counter() < end:
            work(session)
            done += 1
    print(done)


if __name__ == "__main__":
    main()
