-- How likely it is, hour by hour, to find a bike at a station of a city. The app shows it next to
-- the map, so the table is written every hour.
-- Grain: one row per hour_start and city_code
-- Sources:
--   pedalo-data-prod.fleet_external.station_reports_v1
--   pedalo-data-prod.fleet_external.stations_v1
WITH reports AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.fleet_external.station_reports_v1`
  WHERE
    reported_at >= @submission_hour
    AND reported_at < TIMESTAMP_ADD(@submission_hour, INTERVAL 1 HOUR)
),
stations AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.fleet_external.stations_v1`
  WHERE
    closed_on IS NULL
)
SELECT
  TIMESTAMP_TRUNC(reports.reported_at, HOUR) AS hour_start,
  stations.city_code,
  COUNT(DISTINCT reports.station_id) AS station_count,
  COUNT(*) AS report_count,
  ROUND(AVG(reports.bikes_available), 2) AS mean_bikes_available,
  COUNTIF(reports.bikes_available = 0) / COUNT(*) AS empty_share,
  MAX(reports.docks_broken) AS broken_docks
FROM
  reports
INNER JOIN
  stations
  ON reports.station_id = stations.station_id
GROUP BY
  hour_start,
  city_code
