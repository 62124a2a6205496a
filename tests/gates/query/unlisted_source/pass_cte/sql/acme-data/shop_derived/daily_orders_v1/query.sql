-- Orders and revenue per day and country.
WITH testers_v1 AS (
  SELECT
    'c9' AS customer_id
)
SELECT
  orders.order_date,
  customers.country,
  COUNT(*) AS n_orders,
  SUM(orders.amount) AS revenue,
FROM
  `acme-data.shop_derived.orders_v1` AS orders
LEFT JOIN
  `acme-data.shop_derived.customers_v1` AS customers
  ON orders.customer_id = customers.customer_id
WHERE
  orders.customer_id NOT IN (SELECT customer_id FROM testers_v1)
  AND   orders.order_date = @submission_date
GROUP BY
  orders.order_date,
  customers.country
