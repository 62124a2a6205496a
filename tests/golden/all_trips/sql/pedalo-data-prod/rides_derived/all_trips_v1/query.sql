-- Our own rides and the trips on the bikes of our partners, in one shape.
-- Grain: one row per submission_date, operator and trip_id
-- Sources:
--   pedalo-data-prod.partners_external.rollo_trips_v1
--   pedalo-data-prod.partners_external.velocity_trips_v1
--   pedalo-data-prod.rides_external.rides_v1
--   pedalo-data-prod.static.cities_v1
WITH own AS (
  SELECT
    'pedalo' AS operator,
    submission_date,
    rides.ride_id AS trip_id,
    rider_id,
    city_code,
    TIMESTAMP_DIFF(rides.ended_at, rides.started_at, SECOND) / 60 AS minutes,
    distance_m,
    rides.price AS fee
  FROM
    `pedalo-data-prod.rides_external.rides_v1` AS rides
  WHERE
    submission_date = @submission_date
    AND rides.ended_at IS NOT NULL
),
rollo_trips AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.partners_external.rollo_trips_v1`
  WHERE
    trip_date = @submission_date
),
rollo AS (
  SELECT
    'rollo' AS operator,
    rollo_trips.trip_date AS submission_date,
    rollo_trips.trip_id,
    rollo_trips.pedalo_rider_id AS rider_id,
    cities.city_code,
    rollo_trips.minutes,
    CAST(ROUND(rollo_trips.kilometres * 1000) AS INT64) AS distance_m,
    rollo_trips.fee_eur AS fee
  FROM
    rollo_trips
  LEFT JOIN
    `pedalo-data-prod.static.cities_v1` AS cities
    ON LOWER(rollo_trips.city) = LOWER(cities.city_name)
),
velocity AS (
  SELECT
    'velocity' AS operator,
    submission_date,
    CAST(velocity_trips.trip_key AS STRING) AS trip_id,
    velocity_trips.rider AS rider_id,
    city_code,
    velocity_trips.duration_s / 60 AS minutes,
    distance_m,
    CAST(velocity_trips.fee_cents AS NUMERIC) / 100 AS fee
  FROM
    `pedalo-data-prod.partners_external.velocity_trips_v1` AS velocity_trips
  WHERE
    submission_date = @submission_date
    AND NOT COALESCE(velocity_trips.cancelled, FALSE)
),
trips AS (
  SELECT
    *
  FROM
    own
  UNION ALL
  SELECT
    *
  FROM
    rollo
  UNION ALL
  SELECT
    *
  FROM
    velocity
)
SELECT
  submission_date,
  operator,
  trip_id,
  rider_id,
  city_code,
  minutes,
  distance_m,
  fee
FROM
  trips
