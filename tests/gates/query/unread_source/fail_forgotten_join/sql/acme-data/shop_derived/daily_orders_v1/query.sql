-- Orders and revenue per day and country.
SELECT
  orders.order_date,
  "DE" AS country,
  COUNT(*) AS n_orders,
  SUM(orders.amount) AS revenue,
FROM
  `acme-data.shop_derived.orders_v1` AS orders
WHERE
  orders.order_date = @submission_date
GROUP BY
  orders.order_date
