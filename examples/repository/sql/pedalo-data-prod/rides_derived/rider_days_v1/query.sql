-- One row per rider and day with at least one ride.
SELECT
  submission_date,
  rider_id,
  ARRAY_AGG(city_code ORDER BY started_at DESC LIMIT 1)[OFFSET(0)] AS city_code,
  COUNT(*) AS ride_count,
  SUM(distance_m) AS distance_m,
  SUM(TIMESTAMP_DIFF(ended_at, started_at, SECOND)) / 60 AS minutes_ridden,
  LOGICAL_OR(is_electric) AS used_electric
FROM
  `pedalo-data-prod.rides_external.rides_v1`
WHERE
  submission_date = @submission_date
  AND rider_id IS NOT NULL
GROUP BY
  submission_date,
  rider_id
