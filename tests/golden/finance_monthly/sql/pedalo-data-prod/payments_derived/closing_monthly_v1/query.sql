-- Net revenue of a month in euro, by means of payment: the figure that the finance team books. It
-- is built from the daily revenue, each day converted with the rate of that day.
-- Grain: One row per `month_start` and `method`.
-- Sources:
--   pedalo-data-prod.payments_derived.revenue_daily_v1
--   pedalo-data-prod.static.exchange_rates_v1
WITH revenue AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.payments_derived.revenue_daily_v1`
  WHERE
    charge_date
    BETWEEN DATE_TRUNC(@submission_date, MONTH)
    AND LAST_DAY(@submission_date, MONTH)
)
SELECT
  DATE_TRUNC(revenue.charge_date, MONTH) AS month_start,
  revenue.method,
  SUM(revenue.charge_count) AS charge_count,
  ROUND(
    SUM((revenue.gross_amount - revenue.refunded_amount) * rates.euro_rate),
    2
  ) AS net_amount_eur,
  COUNTIF(rates.euro_rate IS NULL) AS days_without_rate
FROM
  revenue
LEFT JOIN
  `pedalo-data-prod.static.exchange_rates_v1` AS rates
  ON revenue.currency = rates.currency
  AND revenue.charge_date = rates.rate_date
GROUP BY
  month_start,
  method
