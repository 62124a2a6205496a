-- Orders and revenue per day and country.
{% if is_init() %}
  SELECT
    orders.order_date,
    CAST(NULL AS STRING) AS country,
    COUNT(*) AS n_orders,
    SUM(orders.amount) AS revenue,
  FROM
    `acme-data.shop_derived.orders_v1` AS orders
  WHERE
    orders.order_date <= @submission_date
  GROUP BY
    orders.order_date
{% else %}
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
    orders.order_date = @submission_date
  GROUP BY
    orders.order_date,
    customers.countri
{% endif %}
