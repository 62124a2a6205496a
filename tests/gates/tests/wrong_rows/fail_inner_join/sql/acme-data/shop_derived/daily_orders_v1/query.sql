-- Orders and revenue per day and country.
SELECT
  orders.order_date,
  customers.country,
  COUNT(*) AS n_orders,
  SUM(orders.amount) AS revenue,
FROM
  `acme-data.shop_derived.orders_v1` AS orders
INNER JOIN
  `acme-data.shop_derived.customers_v1` AS customers
  ON orders.customer_id = customers.customer_id
WHERE
  orders.order_date = @submission_date
GROUP BY
  orders.order_date,
  customers.country
