-- Orders by day.
CREATE OR REPLACE VIEW
  `acme-data.shop_derived.daily_orders_v1`
AS
SELECT
  order_date
FROM
  `acme-data.shop_derived.orders_v1`
