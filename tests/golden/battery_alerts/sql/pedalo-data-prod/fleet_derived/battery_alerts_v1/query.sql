-- Bikes with a motor whose battery was found nearly empty on a day. The night shift swaps these
-- batteries first. A battery that fell below 15 percent during a ride counts even when it was
-- charged later on.
-- Grain: One row per bike_id per submission_date
-- Sources:
--   pedalo-data-prod.fleet_external.bikes_v1
--   pedalo-data-prod.rides_external.ride_updates_v1
WITH ride_updates AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.rides_external.ride_updates_v1`
  WHERE
    submission_date = @submission_date
    AND battery_percent IS NOT NULL
),
bikes AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.fleet_external.bikes_v1`
  WHERE
    is_electric
    AND retired_on IS NULL
)
SELECT
  ride_updates.submission_date,
  ride_updates.bike_id,
  ANY_VALUE(bikes.model) AS model,
  ANY_VALUE(bikes.home_city_code) AS home_city_code,
  MIN(ride_updates.battery_percent) AS lowest_percent,
  ARRAY_AGG(ride_updates.battery_percent ORDER BY ride_updates.received_at DESC LIMIT 1)[
    OFFSET(0)
  ] AS last_percent,
  COUNT(*) AS report_count
FROM
  ride_updates
INNER JOIN
  bikes
  ON ride_updates.bike_id = bikes.bike_id
GROUP BY
  submission_date,
  bike_id
HAVING
  MIN(ride_updates.battery_percent) < 15
