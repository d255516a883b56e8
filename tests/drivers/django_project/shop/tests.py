"""Run by Django's own test runner, in a test database that it creates, clones for its processes, and destroys."""

import datetime as dt
import json
import threading
from decimal import Decimal

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.postgres.aggregates import ArrayAgg, JSONBAgg, StringAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange, NumericRange
from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Concat, ExtractYear, Lag, Rank, TruncMonth, Upper
from django.test import TestCase, TransactionTestCase
from django.urls import reverse

from shop.models import Booking, Customer, Everything, Line, Order, Product, Rate

UTC = dt.UTC


class Shop(TestCase):
    @classmethod
    def setUpTestData(cls):
        Customer.objects.all().delete()  # what the migrations made
        cls.ann = Customer.objects.create(name="Ann", email="Ann@x.org", tags=["new", "vip"], settings={"a": {"b": [1, 2]}})
        cls.bob = Customer.objects.create(name="Bob", credit=Decimal("12.50"), settings={"a": None})
        cls.ann.friends.add(cls.bob)
        cls.products = Product.objects.bulk_create(
            Product(title=f"p{n}", price=Decimal(n) * 2, cost=Decimal(n), stock=n, labels=[n, {"n": n}]) for n in range(1, 6)
        )
        for month, customer in enumerate((cls.ann, cls.ann, cls.bob), 1):
            placed = dt.datetime(2024, month, 15, 12, tzinfo=UTC)
            order = Order.objects.create(
                customer=customer, placed=placed, state="sent" if month < 3 else "open", position=month
            )
            for product in cls.products[:month]:
                Line.objects.create(order=order, product=product, quantity=month)


class Queries(Shop):
    def test_aggregates(self):
        totals = Customer.objects.annotate(
            orders_made=Count("orders", distinct=True),
            spent=Sum(F("orders__lines__quantity") * F("orders__lines__product__price")),
        ).order_by("name")
        self.assertEqual(
            list(totals.values_list("name", "orders_made", "spent")),
            [("Ann", 2, Decimal("14.00")), ("Bob", 1, Decimal("36.00"))],
        )
        self.assertEqual(Product.objects.aggregate(m=Max("price"), a=Avg("stock"), c=Count("*")), {"m": 10, "a": 3.0, "c": 5})
        grouped = Order.objects.values("state").annotate(
            n=Count("id"), names=ArrayAgg("customer__name", distinct=True, order_by="customer__name")
        )
        self.assertEqual(
            list(grouped.order_by("state").values_list("state", "n", "names")), [("open", 1, ["Bob"]), ("sent", 2, ["Ann"])]
        )
        self.assertEqual(Product.objects.aggregate(t=StringAgg("title", ";", order_by="-title"))["t"], "p5;p4;p3;p2;p1")
        self.assertEqual(Product.objects.aggregate(t=JSONBAgg("stock", order_by="stock", filter=Q(stock__lt=3)))["t"], [1, 2])
        having = Customer.objects.annotate(n=Count("orders")).filter(n__gt=1)
        self.assertEqual([each.name for each in having], ["Ann"])

    def test_windows_and_subqueries(self):
        ranked = Product.objects.annotate(
            place=Window(Rank(), order_by=F("price").desc()), before=Window(Lag("title"), order_by="price")
        ).filter(place__lte=2)
        self.assertEqual(
            list(ranked.order_by("place").values_list("title", "place", "before")), [("p5", 1, "p4"), ("p4", 2, "p3")]
        )
        latest = Order.objects.filter(customer=OuterRef("pk")).order_by("-placed")
        customers = Customer.objects.annotate(
            last=Subquery(latest.values("placed")[:1]),
            any_open=Exists(latest.filter(state="open")),
            positions=ArraySubquery(latest.values("position")),
        ).order_by("name")
        self.assertEqual(
            [(each.last.month, each.any_open, each.positions) for each in customers], [(2, False, [2, 1]), (3, True, [3])]
        )
        self.assertEqual(Order.objects.distinct("customer").order_by("customer", "-placed").first().placed.month, 2)

    def test_functions(self):
        rows = Order.objects.annotate(
            month=TruncMonth("placed"),
            year=ExtractYear("placed"),
            shout=Concat(Upper("customer__name"), Value("!")),
            kind=Case(When(state="open", then=Value("o")), default=Coalesce("note", Value("?")), output_field=TextField()),
        ).values_list("month", "year", "shout", "kind")
        self.assertEqual(rows[0], (dt.datetime(2024, 1, 1, tzinfo=UTC), 2024, "ANN!", ""))
        self.assertEqual(list(Order.objects.dates("placed", "month"))[-1], dt.date(2024, 3, 1))
        self.assertEqual(Customer.objects.filter(name__iregex="^a.n$", email__iexact="ann@X.org").count(), 1)
        self.assertEqual(Order.objects.filter(placed__year=2024, placed__week_day=5).count(), 1)

    def test_json(self):
        self.assertEqual(Customer.objects.get(settings__a__b__0=1), self.ann)
        self.assertEqual(Customer.objects.get(settings__a__b__contains=[2]), self.ann)
        self.assertEqual(Customer.objects.filter(settings__has_key="a").count(), 2)
        self.assertEqual(Customer.objects.get(settings__a=None), self.bob)
        self.assertEqual(Product.objects.filter(labels__1__n__gte=4).count(), 2)
        self.assertEqual(list(Product.objects.filter(labels__0__in=[1, 2]).values_list("labels__1__n", flat=True)), [1, 2])

    def test_arrays(self):
        self.assertEqual(Customer.objects.get(tags__contains=["vip"]), self.ann)
        self.assertEqual(Customer.objects.get(tags__overlap=["new", "old"]), self.ann)
        self.assertEqual(Customer.objects.get(tags__len=0), self.bob)
        self.assertEqual(Customer.objects.get(tags__0="new").tags[1:], ["vip"])
        self.assertEqual(Customer.objects.filter(tags__contained_by=["new"]).get(), self.bob)

    def test_ranges(self):
        march = DateRange(dt.date(2024, 3, 1), dt.date(2024, 4, 1))
        Booking.objects.create(room=1, days=march, seats=NumericRange(1, 5, "[]"), price=NumericRange(None, Decimal("9.5")))
        booking = Booking.objects.get(days__contains=dt.date(2024, 3, 31))
        self.assertEqual((booking.days, booking.seats), (march, NumericRange(1, 6)))
        self.assertTrue(booking.price.lower_inf)
        self.assertTrue(Booking.objects.filter(days__overlap=DateRange(dt.date(2024, 3, 31), None)).exists())
        self.assertTrue(Booking.objects.filter(days__startswith=dt.date(2024, 3, 1), seats__endswith=6).exists())
        self.assertFalse(Booking.objects.filter(days__fully_lt=(dt.date(2024, 3, 31), None)).exists())
        self.assertTrue(Booking.objects.filter(seats__adjacent_to=(6, 9)).exists())

    def test_every_type(self):
        values = {
            "big": 2**62,
            "binary": b"\0\xff",
            "boolean": True,
            "duration": dt.timedelta(days=-3, seconds=7, microseconds=9),
            "real": 1.5e300,
            "address": "2001:db8::1",
            "positive": 1,
            "small": 32767,
            "slug": "a-b",
            "time": dt.time(23, 59, 59, 999999),
            "url": "http://x.org/",
            "matrix": [[1, 2], [3, 4]],
        }
        made = Everything.objects.create(**values)
        read = Everything.objects.filter(**{name: value for name, value in values.items() if name != "binary"}).get()
        self.assertEqual(read, made)
        self.assertEqual({name: getattr(read, name) for name in values}, {**values, "binary": read.binary})
        self.assertEqual(bytes(read.binary), b"\0\xff")
        self.assertEqual(Everything.objects.get(duration__lt=dt.timedelta(0)), made)

    def test_generated_and_database_defaults(self):
        product = Product.objects.create(title="new", price=Decimal("7.25"))
        product.refresh_from_db()
        self.assertEqual((product.cost, product.margin), (Decimal("0.00"), Decimal("7.25")))
        self.assertLess(product.added, dt.datetime.now(UTC) + dt.timedelta(minutes=1))

    def test_relations(self):
        with self.assertNumQueries(3):
            orders = Order.objects.select_related("customer").prefetch_related(
                Prefetch("lines", Line.objects.select_related("product"))
            )
            self.assertEqual([len(order.lines.all()) for order in orders], [1, 2, 3])
            connection.cursor().execute("SELECT 1")
        self.assertEqual(list(self.ann.friends.all()), [self.bob])
        order = Order.objects.get(position=3)
        order.set_line_order(list(order.get_line_order())[::-1])
        self.assertEqual([line.product.title for line in order.lines.all()], ["p3", "p2", "p1"])
        self.assertEqual(Order.objects.filter(products__title="p2").count(), 2)

    def test_writes(self):
        self.assertEqual(
            Product.objects.filter(stock__gt=3).update(stock=F("stock") * 2, price=F("price") + Decimal("0.01")), 2
        )
        for product in self.products:
            product.title = product.title.upper()
        Product.objects.bulk_update(self.products, ["title"])
        self.assertEqual(Product.objects.get(title="P5").margin, Decimal("5.01"))
        rates = [Rate(currency="EUR", day=dt.date(2024, 1, day), rate=day / 10) for day in (1, 2)]
        Rate.objects.bulk_create(rates)
        Rate.objects.bulk_create(rates, update_conflicts=True, unique_fields=["currency", "day"], update_fields=["rate"])
        Rate.objects.bulk_create(rates, ignore_conflicts=True)
        self.assertEqual(Rate.objects.get(pk=("EUR", dt.date(2024, 1, 2))).rate, 0.2)
        _, created = Customer.objects.update_or_create(name="Ann", defaults={"credit": 5}, create_defaults={"credit": 6})
        self.assertFalse(created)
        self.bob.delete()
        self.assertEqual(Order.objects.count(), 2)

    def test_constraints(self):
        for name, broken in {
            "one_email": lambda: Customer.objects.create(name="x", email="ANN@X.ORG"),
            "credit_limit": lambda: Customer.objects.filter(name="Bob").update(credit=-1001),
            "one_open_order": lambda: Order.objects.filter(position=2).update(customer=self.bob, state="open"),
            "shop_line_order_id_product_id": lambda: Line.objects.all()[0].order.lines.create(product=self.products[0]),
        }.items():
            with self.subTest(name), self.assertRaisesMessage(IntegrityError, name), transaction.atomic():
                broken()
        with transaction.atomic():  # deferred: positions change places
            Order.objects.filter(position=1).update(position=2)
            Order.objects.filter(position=2, placed__month=2).update(position=1)
            connection.check_constraints()
        with self.assertRaisesMessage(IntegrityError, "one_position"), transaction.atomic():
            Order.objects.update(position=9)
            connection.check_constraints()

    def test_savepoints(self):
        with transaction.atomic():
            Group.objects.create(name="kept")
            with self.assertRaises(IntegrityError), transaction.atomic():
                Group.objects.create(name="kept")
            saved = transaction.savepoint()
            Group.objects.create(name="gone")
            transaction.savepoint_rollback(saved)
        self.assertEqual(list(Group.objects.values_list("name", flat=True)), ["kept"])

    def test_iterator_uses_a_server_side_cursor(self):
        Group.objects.bulk_create(Group(name=f"g{n}") for n in range(500))
        self.assertEqual(sum(1 for _ in Group.objects.iterator(chunk_size=50)), 500)

    def test_explain(self):
        self.assertIn("shop_product", Product.objects.filter(stock=1).explain(analyze=True, verbose=True))
        (plan,) = json.loads(Product.objects.explain(format="json"))
        self.assertIn("Node Type", plan["Plan"])
        self.assertTrue(Product.objects.explain(format="yaml", analyze=True).startswith("- Plan: \n    Node Type: "))


class Admin(Shop):
    def setUp(self):
        self.user = User.objects.create_superuser("root", "root@x.org", "secret")
        self.assertTrue(self.client.login(username="root", password="secret"))

    def test_lists_search_and_filters(self):
        orders = reverse("admin:shop_order_changelist")
        for query, expected in {
            "": 3,
            "?q=ann": 2,
            "?state__exact=open": 1,
            "?placed__year=2024&placed__month=2": 1,
            "?o=-2.1": 3,
        }.items():
            response = self.client.get(orders + query)
            self.assertEqual(response.context["cl"].result_count, expected, query)

    def test_add_change_delete(self):
        url = reverse("admin:shop_customer_add")
        form = {
            "name": "Eve",
            "email": "e@x.org",
            "credit": "1.5",
            "settings": '{"x": 1}',
            "tags": "a,b",
            "friends": [self.ann.pk],
        }
        self.assertRedirects(self.client.post(url, form), reverse("admin:shop_customer_changelist"))
        eve = Customer.objects.get(name="Eve")
        self.assertEqual((eve.tags, eve.settings, list(eve.friends.all())), (["a", "b"], {"x": 1}, [self.ann]))
        self.assertContains(self.client.post(url, form), "already exists")
        change = reverse("admin:shop_customer_change", args=[eve.pk])
        self.client.post(change, {**form, "name": "Eva", "friends": []})
        self.assertEqual(Customer.objects.get(pk=eve.pk).name, "Eva")
        delete = reverse("admin:shop_customer_delete", args=[eve.pk])
        self.assertContains(self.client.get(delete), "Eva")
        self.client.post(delete, {"post": "yes"})
        self.assertFalse(Customer.objects.filter(pk=eve.pk).exists())
        self.assertEqual(list(LogEntry.objects.order_by("pk").values_list("action_flag", flat=True)), [1, 2, 3])

    def test_inlines(self):
        order = Order.objects.get(position=1)
        line = order.lines.get()
        form = {
            "customer": order.customer_id,
            "state": "sent",
            "placed_0": "2024-05-01",
            "placed_1": "10:00",
            "note": "changed",
            "position": "",
            "lines-TOTAL_FORMS": 2,
            "lines-INITIAL_FORMS": 1,
            "lines-0-id": line.pk,
            "lines-0-order": order.pk,
            "lines-0-product": line.product_id,
            "lines-0-quantity": 7,
            "lines-1-order": order.pk,
            "lines-1-product": self.products[4].pk,
            "lines-1-quantity": 2,
        }
        response = self.client.post(reverse("admin:shop_order_change", args=[order.pk]), form)
        self.assertEqual(response.status_code, 302)
        self.assertEqual(sorted(order.lines.values_list("quantity", flat=True)), [2, 7])

    def test_permissions(self):
        group = Group.objects.create(name="editors")
        group.permissions.set(Permission.objects.filter(content_type__app_label="shop", codename__startswith="change"))
        editor = User.objects.create_user("ed", password="x")
        editor.groups.add(group)
        self.assertTrue(editor.has_perm("shop.change_order"))
        self.assertFalse(editor.has_perm("shop.delete_order"))


class WithoutTransaction(TransactionTestCase):
    reset_sequences = True

    def test_sequences_were_reset(self):
        self.assertEqual(Customer.objects.create(name="first").pk, 1)

    def test_sequences_were_reset_again(self):
        self.assertEqual(Customer.objects.create(name="first").pk, 1)

    def test_skip_locked_and_nowait(self):
        Group.objects.bulk_create(Group(name=name) for name in "abc")
        seen = {}

        def other():
            try:
                with transaction.atomic():
                    free = Group.objects.select_for_update(skip_locked=True).order_by("name")
                    seen["skipped"] = [group.name for group in free]
                with transaction.atomic():
                    Group.objects.select_for_update(nowait=True).get(name="a")
            except DatabaseError as error:
                seen["error"] = error.__cause__.sqlstate
            finally:
                connection.close()

        with transaction.atomic():
            Group.objects.select_for_update().get(name="a")
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        self.assertEqual(seen, {"skipped": ["b", "c"], "error": "55P03"})

    def test_fixtures_cache_and_sessions(self):
        call_command("createcachetable", verbosity=0)
        cache.set("key", {"deep": [1]}, 60)
        cache.set_many({"a": 1, "b": 2})
        self.assertEqual((cache.get("key"), cache.get_many(["a", "b", "c"])), ({"deep": [1]}, {"a": 1, "b": 2}))
        self.assertEqual(cache.incr("a"), 2)
        session = self.client.session
        session["cart"] = [1, 2]
        session.save()
        self.assertEqual(self.client.session["cart"], [1, 2])
        on_commit = []
        with transaction.atomic():
            transaction.on_commit(lambda: on_commit.append(1))
            self.assertEqual(on_commit, [])
        self.assertEqual(on_commit, [1])
