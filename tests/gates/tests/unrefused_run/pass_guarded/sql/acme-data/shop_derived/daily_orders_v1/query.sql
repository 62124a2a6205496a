-- Orders and revenue per day and country.
-- Grain: one row per order_date and country
-- Sources:
--   acme-data.shop_derived.customers_v1
--   acme-data.shop_derived.orders_v1
WITH orders AS (
  SELECT
    *
  FROM
    `acme-data.shop_derived.orders_v1`
  WHERE
    order_date = @submission_date
),
refusals AS (
  SELECT
    CASE
      WHEN NOT EXISTS (
          SELECT
            1
          FROM
            `acme-data.shop_derived.orders_v1`
          WHERE
            order_date = @submission_date
        )
        THEN ERROR('no orders on the day')
      ELSE FALSE
    END AS refused
)
SELECT
  orders.order_date,
  customers.country,
  COUNT(*) AS n_orders,
  SUM(orders.amount) AS revenue
FROM
  orders
LEFT JOIN
  `acme-data.shop_derived.customers_v1` AS customers
  ON orders.customer_id = customers.customer_id
GROUP BY
  order_date,
  country
UNION ALL
SELECT
  NULL AS order_date,
  NULL AS country,
  NULL AS n_orders,
  NULL AS revenue
FROM
  refusals
WHERE
  refused
