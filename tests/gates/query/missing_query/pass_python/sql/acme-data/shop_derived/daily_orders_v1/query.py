"""Load shop_derived.daily_orders_v1."""

print("loaded")
