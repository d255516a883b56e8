"""Constraints, one of them added without looking at the rows and validated later."""

import django.db.models.functions.text
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_indexes")]
    operations = [
        migrations.AddConstraint(
            "Customer", models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="one_email")
        ),
        AddConstraintNotValid("Customer", models.CheckConstraint(condition=Q(credit__gte=-1000), name="credit_limit")),
        ValidateConstraint("Customer", "credit_limit"),
        migrations.AddConstraint(
            "Order", models.UniqueConstraint(fields=["position"], name="one_position", deferrable=models.Deferrable.DEFERRED)
        ),
        migrations.AddConstraint(
            "Order", models.UniqueConstraint(fields=["customer"], condition=Q(state="open"), name="one_open_order")
        ),
        migrations.AddConstraint(
            "Rate", models.UniqueConstraint(fields=["rate", "day"], name="one_rate", nulls_distinct=False, include=["currency"])
        ),
        migrations.RemoveConstraint("Rate", "one_rate"),
    ]
