-- Every ride of a day with what was charged for it. Rides without a charge and rides in a city that
-- is not in our list stay in the table: the finance team looks for exactly these.
-- Grain: one row per ride_id
-- Sources:
--   pedalo-data-prod.payments_external.charges_v1
--   pedalo-data-prod.rides_external.rides_v1
--   pedalo-data-prod.static.cities_v1
WITH charged AS (
  SELECT
    ride_id,
    SUM(charges.amount) AS charged_amount,
    COUNT(*) AS charge_count
  FROM
    `pedalo-data-prod.payments_external.charges_v1` AS charges
  WHERE
    charge_date
    BETWEEN DATE_SUB(@submission_date, INTERVAL 1 DAY)
    AND DATE_ADD(@submission_date, INTERVAL 1 DAY)
    AND charges.status = 'succeeded'
    AND charges.ride_id IS NOT NULL
  GROUP BY
    ride_id
),
rides AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.rides_external.rides_v1`
  WHERE
    submission_date = @submission_date
)
SELECT
  rides.submission_date,
  rides.ride_id,
  rides.rider_id,
  COALESCE(cities.city_name, 'Unknown') AS city_name,
  COALESCE(cities.region, 'Unknown') AS region,
  rides.price,
  COALESCE(charged.charged_amount, 0) AS charged_amount,
  COALESCE(charged.charge_count, 0) AS charge_count,
  rides.price - COALESCE(charged.charged_amount, 0) AS open_amount,
  charged.ride_id IS NOT NULL AS is_charged
FROM
  rides
LEFT JOIN
  charged
  ON rides.ride_id = charged.ride_id
LEFT JOIN
  `pedalo-data-prod.static.cities_v1` AS cities
  ON rides.city_code = cities.city_code
