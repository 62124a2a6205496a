-- Outings of a rider on a day. Rides that begin within thirty minutes of the end of the one before
-- belong to one outing.
-- Grain: one row per submission_date, rider_id and outing_number
-- Sources:
--   pedalo-data-prod.rides_external.rides_v1
WITH marked AS (
  SELECT
    submission_date,
    rider_id,
    ride_id,
    started_at,
    distance_m,
    IF(
      TIMESTAMP_DIFF(
        rides.started_at,
        LAG(rides.ended_at) OVER (
          PARTITION BY
            rides.rider_id
          ORDER BY
            rides.started_at,
            rides.ride_id
        ),
        MINUTE
      ) <= 30,
      0,
      1
    ) AS is_new
  FROM
    `pedalo-data-prod.rides_external.rides_v1` AS rides
  WHERE
    submission_date = @submission_date
    AND rides.rider_id IS NOT NULL
),
numbered AS (
  SELECT
    submission_date,
    rider_id,
    started_at,
    distance_m,
    SUM(is_new) OVER (PARTITION BY rider_id ORDER BY started_at, ride_id) AS outing_number
  FROM
    marked
)
SELECT
  submission_date,
  rider_id,
  outing_number,
  MIN(started_at) AS first_started_at,
  COUNT(*) AS ride_count,
  SUM(distance_m) AS distance_m
FROM
  numbered
GROUP BY
  submission_date,
  rider_id,
  outing_number
