WITH total AS (
  SELECT
    COUNT(*) AS n
  FROM
    `acme-data.shop_derived.customers_v1`
)
SELECT
  orders.order_date,
  CAST(total.n AS STRING) AS country,
  COUNT(*) AS n_orders,
  SUM(orders.amount) AS revenue,
FROM
  `acme-data.shop_derived.orders_v1` AS orders,
  total
WHERE
  orders.order_date = @submission_date
GROUP BY
  orders.order_date,
  country
