-- Refunds of a day in euro by reason, and how much of the charges they give back.
-- Grain: one row per refund_date and reason
-- Sources:
--   pedalo-data-prod.payments_external.charges_v1
--   pedalo-data-prod.payments_external.refunds_v1
--   pedalo-data-prod.static.exchange_rates_v1
WITH refunds AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.payments_external.refunds_v1`
  WHERE
    refund_date = @submission_date
),
charges AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.payments_external.charges_v1`
  WHERE
    charge_date
    BETWEEN DATE_SUB(@submission_date, INTERVAL 90 DAY)
    AND @submission_date
)
SELECT
  refunds.refund_date,
  COALESCE(refunds.reason, 'unknown') AS reason,
  COUNT(*) AS refund_count,
  COUNTIF(refunds.amount = charges.amount) AS full_refund_count,
  COALESCE(SUM(refunds.amount * rates.euro_rate), 0) AS refunded_eur,
  COUNTIF(charges.charge_id IS NULL) AS without_charge
FROM
  refunds
LEFT JOIN
  charges
  ON refunds.charge_id = charges.charge_id
LEFT JOIN
  `pedalo-data-prod.static.exchange_rates_v1` AS rates
  ON charges.currency = rates.currency
  AND charges.charge_date = rates.rate_date
GROUP BY
  refund_date,
  reason
