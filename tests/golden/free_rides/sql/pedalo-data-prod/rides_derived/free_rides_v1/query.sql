-- Rides that began or ended away from a station, with where they began and how they were ridden.
-- Kept as nested records, because the map draws them as they are.
-- Grain: one row per ride_id
-- Sources:
--   pedalo-data-prod.rides_external.rides_v1
SELECT
  submission_date,
  ride_id,
  start_point,
  ARRAY(
    SELECT AS STRUCT
      segment.street_class,
      segment.length_m / segment.seconds AS metres_per_second
    FROM
      UNNEST(rides.segments) AS segment
      WITH OFFSET AS position
    WHERE
      segment.seconds > 0
      AND segment.length_m / segment.seconds > 7
    ORDER BY
      position
  ) AS fast_segments,
  rides.attributes,
  LAX_STRING(rides.attributes.channel) AS booking_channel,
  CAST(NULL AS NUMERIC) AS vat
FROM
  `pedalo-data-prod.rides_external.rides_v1` AS rides
WHERE
  submission_date = @submission_date
  AND (rides.start_station_id IS NULL OR rides.end_station_id IS NULL)
