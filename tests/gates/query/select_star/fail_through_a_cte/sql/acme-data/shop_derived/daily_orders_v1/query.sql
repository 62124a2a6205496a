WITH paid AS (
  SELECT
    *
  FROM
    `acme-data.shop_derived.orders_v1`
  WHERE
    order_date = @submission_date
)
SELECT
  paid.* EXCEPT (items)
FROM
  paid
