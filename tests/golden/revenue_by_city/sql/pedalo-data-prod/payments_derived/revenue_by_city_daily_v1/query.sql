-- Money received for rides per day and city, as the dashboard of the management shows it.
-- Grain: one row per charge_date, city_code and currency
-- Sources:
--   pedalo-data-prod.payments_external.charges_v1
--   pedalo-data-prod.rides_external.rides_v1
--   pedalo-data-prod.static.cities_v1
WITH charges AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.payments_external.charges_v1`
  WHERE
    charge_date = @submission_date
    AND status = 'succeeded'
),
rides AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.rides_external.rides_v1`
  WHERE
    submission_date
    BETWEEN DATE_SUB(@submission_date, INTERVAL 7 DAY)
    AND @submission_date
)
SELECT
  charges.charge_date,
  rides.city_code,
  charges.currency,
  ANY_VALUE(cities.region) AS region,
  SUM(charges.amount) AS gross_amount,
  COUNT(DISTINCT charges.rider_id) AS paying_riders,
  SAFE_DIVIDE(
    SUM(IF(charges.method = 'card', charges.amount, 0)),
    SUM(charges.amount)
  ) AS card_share,
  ROUND(
    SAFE_DIVIDE(COUNT(DISTINCT rides.ride_id), COUNT(DISTINCT charges.rider_id)),
    2
  ) AS rides_per_rider
FROM
  charges
INNER JOIN
  rides
  ON charges.ride_id = rides.ride_id
LEFT JOIN
  `pedalo-data-prod.static.cities_v1` AS cities
  ON rides.city_code = cities.city_code
WHERE
  rides.city_code IS NOT NULL
GROUP BY
  charge_date,
  city_code,
  currency
