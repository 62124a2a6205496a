-- Inventory against the street: bikes that ought to be in use and were not ridden, and bikes that
-- were ridden though the inventory has them as retired or does not know them.
-- Grain: one row per submission_date and bike_id
-- Sources:
--   pedalo-data-prod.fleet_external.bikes_v1
--   pedalo-data-prod.rides_external.rides_v1
WITH inventory AS (
  SELECT
    bikes.* EXCEPT (frame, updated_at)
  FROM
    `pedalo-data-prod.fleet_external.bikes_v1` AS bikes
  WHERE
    bikes.commissioned_on <= @submission_date
),
ridden AS (
  SELECT
    bike_id,
    COUNT(*) AS ride_count,
    ARRAY_AGG(DISTINCT rides.city_code IGNORE NULLS ORDER BY rides.city_code) AS cities
  FROM
    `pedalo-data-prod.rides_external.rides_v1` AS rides
  WHERE
    submission_date = @submission_date
  GROUP BY
    bike_id
),
refusals AS (
  SELECT
    CASE
      WHEN NOT EXISTS (SELECT 1 FROM ridden)
        THEN ERROR('not a single ride on the day, the export of the rides is missing')
      ELSE FALSE
    END AS refused
)
SELECT
  @submission_date AS submission_date,
  COALESCE(inventory.bike_id, ridden.bike_id) AS bike_id,
  inventory.model,
  inventory.home_city_code,
  COALESCE(ridden.ride_count, 0) AS ride_count,
  ridden.cities,
  CASE
    WHEN inventory.bike_id IS NULL
      THEN 'unknown bike'
    WHEN inventory.retired_on < @submission_date
      AND ridden.bike_id IS NOT NULL
      THEN 'retired bike ridden'
    WHEN inventory.retired_on < @submission_date
      THEN 'retired'
    WHEN ridden.bike_id IS NULL
      THEN 'not ridden'
    ELSE 'ok'
  END AS verdict
FROM
  inventory
FULL JOIN
  ridden
  ON inventory.bike_id = ridden.bike_id
UNION ALL
SELECT
  NULL AS submission_date,
  NULL AS bike_id,
  NULL AS model,
  NULL AS home_city_code,
  NULL AS ride_count,
  NULL AS cities,
  NULL AS verdict
FROM
  refusals
WHERE
  refused
