"""Columns: types with their conversions, nullability, defaults, names, comments, collations."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_rows")]
    operations = [
        migrations.RenameModel("Client", "Customer"),
        migrations.RenameField("Customer", "title", "name"),
        migrations.RenameField("Order", "client", "customer"),
        migrations.RenameField("Order", "number", "position"),
        migrations.AlterField("Customer", "id", ID),
        migrations.AlterField("Order", "id", ID),
        migrations.AlterField(
            "Customer", "name", models.CharField(max_length=100, unique=True, db_comment="as on the invoice")
        ),
        migrations.AlterField("Customer", "credit", models.DecimalField(max_digits=12, decimal_places=2, default=0)),
        migrations.AlterField("Order", "customer", models.ForeignKey("shop.customer", models.CASCADE, related_name="orders")),
        migrations.AlterField("Order", "state", models.CharField(max_length=10, default="open", db_index=True)),
        migrations.AlterField("Order", "placed", models.DateTimeField()),
        migrations.AlterField("Order", "note", models.TextField(blank=True, db_collation="C", default="")),
        migrations.AlterField("Order", "note", models.TextField(blank=True, db_collation="C")),
        migrations.AlterField("Order", "position", models.PositiveIntegerField(null=True, blank=True)),
        migrations.RunSQL(
            "UPDATE shop_order SET state = CASE state WHEN '0' THEN 'open' ELSE 'sent' END", "UPDATE shop_order SET state = '0'"
        ),
        migrations.AlterField(
            "Order",
            "state",
            models.CharField(max_length=10, choices=[("open", "Open"), ("sent", "Sent")], default="open", db_index=True),
        ),
        migrations.RemoveField("Customer", "fax"),
        migrations.AddField("Customer", "email", models.EmailField(max_length=254, null=True)),
        migrations.AddField("Customer", "settings", models.JSONField(default=dict)),
        migrations.AddField(
            "Customer",
            "tags",
            django.contrib.postgres.fields.ArrayField(models.CharField(max_length=20), default=list, size=None),
        ),
        migrations.AddField("Customer", "birthday", models.DateField(null=True, blank=True)),
        migrations.AddField("Customer", "friends", models.ManyToManyField("shop.customer", blank=True)),
    ]
