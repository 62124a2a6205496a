SELECT
  order_date,
FROM
  `acme-data.shop_derived.orders_v1`
WHERE
  {% if is_init() %}
    customer_number >= @sample_id
    AND customer_number < @sample_id + @sampling_batch_size
  {% else %}
    order_date = @submission_date
  {% endif %}
