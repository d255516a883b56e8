"""Tables: more of them, other names, relations through them."""

import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.functions
from django.db import migrations, models
from django.db.models import F

ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_fields")]
    operations = [
        migrations.DeleteModel("Obsolete"),
        migrations.AlterModelTable("Order", "purchase"),
        migrations.AlterModelTableComment("Customer", "who buys"),
        migrations.AlterModelOptions("Order", {"ordering": ["placed"]}),
        migrations.CreateModel(
            "Product",
            [
                ("id", models.UUIDField(primary_key=True, default=uuid.uuid4, serialize=False)),
                ("title", models.TextField()),
                ("price", models.DecimalField(max_digits=10, decimal_places=2)),
                ("cost", models.DecimalField(max_digits=10, decimal_places=2, db_default=0)),
                ("added", models.DateTimeField(db_default=django.db.models.functions.Now())),
                ("stock", models.IntegerField(default=0)),
                ("rank", models.IntegerField(null=True, unique=True)),
                ("labels", models.JSONField(null=True, default=list)),
            ],
        ),
        migrations.AddField(
            "Product",
            "margin",
            models.GeneratedField(
                expression=F("price") - F("cost"),
                output_field=models.DecimalField(max_digits=11, decimal_places=2),
                db_persist=True,
            ),
        ),
        migrations.CreateModel(
            "Line",
            [
                ("id", ID),
                ("order", models.ForeignKey("shop.order", models.CASCADE, related_name="lines")),
                ("product", models.ForeignKey("shop.product", models.PROTECT)),
                ("quantity", models.PositiveIntegerField(default=1)),
            ],
        ),
        migrations.AlterUniqueTogether("Line", {("order", "product")}),
        migrations.AlterOrderWithRespectTo("Line", "order"),
        migrations.AddField("Order", "products", models.ManyToManyField("shop.product", through="shop.Line")),
        migrations.CreateModel(
            "Rate",
            [
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "currency", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("day", models.DateField()),
                ("rate", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            "Booking",
            [
                ("id", ID),
                ("room", models.IntegerField()),
                ("days", django.contrib.postgres.fields.ranges.DateRangeField()),
                ("hours", django.contrib.postgres.fields.ranges.DateTimeRangeField(null=True)),
                ("seats", django.contrib.postgres.fields.ranges.IntegerRangeField(null=True)),
                ("numbers", django.contrib.postgres.fields.ranges.BigIntegerRangeField(null=True)),
                ("price", django.contrib.postgres.fields.ranges.DecimalRangeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            "Everything",
            [
                ("id", ID),
                ("big", models.BigIntegerField(null=True)),
                ("binary", models.BinaryField(null=True)),
                ("boolean", models.BooleanField(null=True)),
                ("duration", models.DurationField(null=True)),
                ("file", models.FileField(null=True, upload_to="")),
                ("path", models.FilePathField(null=True)),
                ("real", models.FloatField(null=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("positive", models.PositiveBigIntegerField(null=True)),
                ("small", models.PositiveSmallIntegerField(null=True)),
                ("slug", models.SlugField(null=True)),
                ("time", models.TimeField(null=True)),
                ("url", models.URLField(null=True)),
                (
                    "matrix",
                    django.contrib.postgres.fields.ArrayField(
                        django.contrib.postgres.fields.ArrayField(models.IntegerField(), size=2), null=True, size=None
                    ),
                ),
            ],
        ),
    ]
