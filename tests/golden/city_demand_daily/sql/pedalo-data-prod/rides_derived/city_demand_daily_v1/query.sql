-- Demand per city and day: how many rides, how long, on which kind of bike. The rebalancing vans
-- plan the next morning with it.
-- Grain: one row per submission_date and city_code
-- Sources:
--   pedalo-data-prod.rides_external.rides_v1
SELECT
  submission_date,
  city_code,
  COUNT(*) AS ride_count,
  COUNTIF(rides.rider_id IS NULL) AS guest_ride_count,
  COUNTIF('first_ride' IN UNNEST(rides.tags)) AS first_ride_count,
  SAFE_DIVIDE(COUNTIF(rides.is_electric), COUNT(*)) AS electric_share,
  ROUND(AVG(TIMESTAMP_DIFF(rides.ended_at, rides.started_at, SECOND)) / 60, 1) AS mean_minutes,
  MAX(rides.distance_m) AS longest_ride_m
FROM
  `pedalo-data-prod.rides_external.rides_v1` AS rides
WHERE
  submission_date = @submission_date
  AND rides.ended_at IS NOT NULL
  AND rides.city_code IS NOT NULL
GROUP BY
  submission_date,
  city_code
