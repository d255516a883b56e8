"""Rows, so that what follows has something to convert."""

from django.db import migrations


def fill(apps, schema_editor):
    client = apps.get_model("shop", "Client").objects.create(title="Ann", credit=None, fax="1")
    orders = apps.get_model("shop", "Order").objects
    orders.create(client=client, state=0, placed="2024-02-29", note=None, number="7")
    orders.create(client=client, state=1, placed="2024-03-01", note="late", number=None)


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunPython(fill, lambda apps, schema_editor: apps.get_model("shop", "Order").objects.all().delete()),
        migrations.RunSQL(
            [("UPDATE shop_client SET credit = %s WHERE credit IS NULL", [3])],
            "UPDATE shop_client SET credit = NULL",
        ),
    ]
