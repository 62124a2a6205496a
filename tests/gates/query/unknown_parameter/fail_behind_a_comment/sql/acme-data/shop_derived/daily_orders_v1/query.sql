{% if is_init() %}
  SELECT
    1
{% else %}
  /* A run is about one @day. */
  SELECT
    order_date,
  FROM
    `acme-data.shop_derived.orders_v1`
  WHERE
    -- not @day before
    order_date = @day
{% endif %}
