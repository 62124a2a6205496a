-- Money received per day, with the refunds of these charges taken off.
WITH refunds AS (
  SELECT
    charge_id,
    SUM(amount) AS amount
  FROM
    `pedalo-data-prod.payments_external.refunds_v1`
  WHERE
    refund_date >= @charge_date
  GROUP BY
    charge_id
)
SELECT
  charges.charge_date,
  charges.currency,
  charges.method,
  COUNT(*) AS charge_count,
  SUM(charges.amount) AS gross_amount,
  SUM(COALESCE(refunds.amount, 0)) AS refunded_amount
FROM
  `pedalo-data-prod.payments_external.charges_v1` AS charges
LEFT JOIN
  refunds
  ON charges.charge_id = refunds.charge_id
WHERE
  charges.charge_date = @charge_date
  AND charges.status = 'succeeded'
GROUP BY
  charges.charge_date,
  charges.currency,
  charges.method
