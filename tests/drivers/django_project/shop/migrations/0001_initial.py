"""The models as they were at first: with other names and types than models.py has in the end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Client",
            [
                ("id", models.AutoField(primary_key=True)),
                ("title", models.CharField(max_length=50)),
                ("credit", models.IntegerField(null=True)),
                ("fax", models.CharField(max_length=30, null=True)),
            ],
        ),
        migrations.CreateModel(
            "Order",
            [
                ("id", models.AutoField(primary_key=True)),
                ("client", models.ForeignKey("shop.client", models.PROTECT)),
                ("state", models.IntegerField(default=0)),
                ("placed", models.DateField()),
                ("note", models.CharField(max_length=100, null=True)),
                ("number", models.CharField(max_length=10, null=True)),
            ],
        ),
        migrations.CreateModel("Obsolete", [("id", models.AutoField(primary_key=True))]),
    ]
