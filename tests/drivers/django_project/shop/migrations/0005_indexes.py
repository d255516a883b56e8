"""Indexes, some of them without a transaction."""

from django.contrib.postgres.indexes import BrinIndex, BTreeIndex, GinIndex, GistIndex, HashIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0004_models")]
    operations = [
        AddIndexConcurrently("Product", models.Index(F("price").desc(), "title", name="product_price")),
        AddIndexConcurrently("Product", models.Index(fields=["stock"], name="product_stock")),
        RemoveIndexConcurrently("Product", "product_stock"),
        migrations.AddIndex(
            "Product", models.Index(fields=["title"], name="in_stock", condition=Q(stock__gt=0), include=["price"])
        ),
        migrations.RenameIndex("Product", "product_in_stock", old_name="in_stock"),
        migrations.AddIndex("Product", HashIndex(fields=["title"], name="product_hash")),
        migrations.AddIndex("Product", GinIndex(fields=["labels"], name="product_labels")),
        migrations.AddIndex("Order", BrinIndex(fields=["placed"], name="order_placed", pages_per_range=16)),
        migrations.AddIndex("Booking", GistIndex(fields=["days"], name="booking_days")),
        migrations.AddIndex("Booking", BTreeIndex(fields=["room"], name="booking_room", fillfactor=70)),
        migrations.AddIndex("Booking", models.Index(fields=["room", "-id"], name="booking_two")),
        migrations.RemoveIndex("Booking", "booking_two"),
    ]
