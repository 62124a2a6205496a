-- Orders and revenue per day and country.
SELECT
  orders.order_date,
  customers.country,
  COUNT(*) AS n_orders,
  SUM(orders.amount) AS revenue,
FROM
  `acme-data.shop_derived.orders_v1` AS orders,
  `acme-data.shop_derived.customers_v1` AS customers
WHERE
  orders.order_date = @submission_date
  AND orders.customer_id = customers.customer_id
GROUP BY
  orders.order_date,
  customers.country
