-- From which station to which station people ride. Pairs with fewer than five rides on a day are
-- left out, so that nobody's way to work can be read from the table.
-- Grain: one row per submission_date, start_station_id and end_station_id
-- Sources:
--   pedalo-data-prod.fleet_external.stations_v1
--   pedalo-data-prod.rides_external.rides_v1
WITH rides AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.rides_external.rides_v1`
  WHERE
    submission_date = @submission_date
)
SELECT
  rides.submission_date,
  rides.start_station_id,
  rides.end_station_id,
  ANY_VALUE(start_station.station_name) AS start_station_name,
  ANY_VALUE(end_station.station_name) AS end_station_name,
  MAX(end_station.location.elevation_m - start_station.location.elevation_m) AS climb_m,
  COUNT(*) AS ride_count,
  SAFE_DIVIDE(
    SUM(
      (
        SELECT
          SUM(IF(segment.street_class = 'cycleway', segment.length_m, 0))
        FROM
          UNNEST(rides.segments) AS segment
      )
    ),
    SUM((SELECT SUM(segment.length_m) FROM UNNEST(rides.segments) AS segment))
  ) AS cycleway_share
FROM
  rides
INNER JOIN
  `pedalo-data-prod.fleet_external.stations_v1` AS start_station
  ON rides.start_station_id = start_station.station_id
INNER JOIN
  `pedalo-data-prod.fleet_external.stations_v1` AS end_station
  ON rides.end_station_id = end_station.station_id
WHERE
  start_station.station_id != end_station.station_id
GROUP BY
  submission_date,
  start_station_id,
  end_station_id
HAVING
  COUNT(*) >= 5
