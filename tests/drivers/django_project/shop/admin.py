from django.contrib import admin

from shop import models


class LineInline(admin.TabularInline):
    model = models.Line
    extra = 0


@admin.register(models.Order)
class OrderAdmin(admin.ModelAdmin):
    date_hierarchy = "placed"
    inlines = [LineInline]
    list_display = ["customer", "state", "placed"]
    list_filter = ["state", "placed"]
    search_fields = ["customer__name", "note"]


admin.site.register([models.Customer, models.Product])
