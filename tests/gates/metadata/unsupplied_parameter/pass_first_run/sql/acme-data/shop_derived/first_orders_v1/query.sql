{% if is_init() %}
  SELECT
    customer_id,
    MIN(order_date) AS first_order_date,
  FROM
    `acme-data.shop_derived.orders_v1`
  WHERE
    order_date >= @since
  GROUP BY
    customer_id
{% else %}
  SELECT
    customer_id,
    MIN(first_order_date) AS first_order_date,
  FROM
    (
      SELECT
        customer_id,
        first_order_date,
      FROM
        `acme-data.shop_derived.first_orders_v1`
      UNION ALL
      SELECT
        customer_id,
        order_date,
      FROM
        `acme-data.shop_derived.orders_v1`
      WHERE
        order_date = @submission_date
    )
  GROUP BY
    customer_id
{% endif %}
