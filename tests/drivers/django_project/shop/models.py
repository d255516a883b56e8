"""Models with a field of every kind that Django has for PostgreSQL; migrations/ arrives at them by every kind of operation."""

import uuid

from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    IntegerRangeField,
)
from django.contrib.postgres.indexes import BrinIndex, BTreeIndex, GinIndex, GistIndex, HashIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now


class Customer(models.Model):
    name = models.CharField(max_length=100, unique=True, db_comment="as on the invoice")
    email = models.EmailField(null=True)
    credit = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    settings = models.JSONField(default=dict)
    tags = ArrayField(models.CharField(max_length=20), default=list)
    birthday = models.DateField(null=True, blank=True)
    friends = models.ManyToManyField("self", symmetrical=False, blank=True)

    class Meta:
        db_table_comment = "who buys"
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_email"),
            models.CheckConstraint(condition=Q(credit__gte=-1000), name="credit_limit"),
        ]

    def __str__(self):
        return self.name


class Product(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    cost = models.DecimalField(max_digits=10, decimal_places=2, db_default=0)
    margin = models.GeneratedField(
        expression=F("price") - F("cost"), output_field=models.DecimalField(max_digits=11, decimal_places=2), db_persist=True
    )
    added = models.DateTimeField(db_default=Now())
    stock = models.IntegerField(default=0)
    rank = models.IntegerField(null=True, unique=True)
    labels = models.JSONField(null=True, default=list)

    class Meta:
        indexes = [
            models.Index(F("price").desc(), "title", name="product_price"),
            models.Index(fields=["title"], name="product_in_stock", condition=Q(stock__gt=0), include=["price"]),
            HashIndex(fields=["title"], name="product_hash"),
            GinIndex(fields=["labels"], name="product_labels"),
        ]

    def __str__(self):
        return self.title


class Order(models.Model):
    class State(models.TextChoices):
        OPEN = "open"
        SENT = "sent"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN, db_index=True)
    placed = models.DateTimeField()
    note = models.TextField(blank=True, db_collation="C")
    position = models.PositiveIntegerField(null=True, blank=True)
    products = models.ManyToManyField(Product, through="Line")

    class Meta:
        db_table = "purchase"
        ordering = ["placed"]
        indexes = [BrinIndex(fields=["placed"], name="order_placed", pages_per_range=16)]
        constraints = [
            models.UniqueConstraint(fields=["position"], name="one_position", deferrable=models.Deferrable.DEFERRED),
            models.UniqueConstraint(fields=["customer"], condition=Q(state="open"), name="one_open_order"),
        ]

    def __str__(self):
        return f"{self.customer}: {self.state}"


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField(default=1)

    class Meta:
        order_with_respect_to = "order"
        unique_together = [("order", "product")]


class Rate(models.Model):
    pk = models.CompositePrimaryKey("currency", "day")
    currency = models.CharField(max_length=3)
    day = models.DateField()
    rate = models.FloatField()


class Booking(models.Model):
    room = models.IntegerField()
    days = DateRangeField()
    hours = DateTimeRangeField(null=True)
    seats = IntegerRangeField(null=True)
    numbers = BigIntegerRangeField(null=True)
    price = DecimalRangeField(null=True)

    class Meta:
        indexes = [
            GistIndex(fields=["days"], name="booking_days"),
            BTreeIndex(fields=["room"], name="booking_room", fillfactor=70),
        ]


class Everything(models.Model):
    """A column of each type that the others do not have."""

    big = models.BigIntegerField(null=True)
    binary = models.BinaryField(null=True)
    boolean = models.BooleanField(null=True)
    duration = models.DurationField(null=True)
    file = models.FileField(null=True)
    path = models.FilePathField(null=True)
    real = models.FloatField(null=True)
    address = models.GenericIPAddressField(null=True)
    positive = models.PositiveBigIntegerField(null=True)
    small = models.PositiveSmallIntegerField(null=True)
    slug = models.SlugField(null=True)
    time = models.TimeField(null=True)
    url = models.URLField(null=True)
    matrix = ArrayField(ArrayField(models.IntegerField(), size=2), null=True)
