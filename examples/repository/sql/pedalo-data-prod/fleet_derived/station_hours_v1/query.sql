-- How full each station was in the hour.
SELECT
  TIMESTAMP_TRUNC(reported_at, HOUR) AS hour_start,
  station_id,
  COUNT(*) AS report_count,
  AVG(bikes_available) AS mean_bikes_available,
  COUNTIF(bikes_available = 0) AS empty_reports
FROM
  `pedalo-data-prod.fleet_external.station_reports_v1`
WHERE
  reported_at >= @submission_hour
  AND reported_at < TIMESTAMP_ADD(@submission_hour, INTERVAL 1 HOUR)
GROUP BY
  hour_start,
  station_id
