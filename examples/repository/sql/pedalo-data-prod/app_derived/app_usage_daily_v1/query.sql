-- Sessions, time in the app and crashes.
SELECT
  submission_date,
  os,
  app_version,
  COUNT(*) AS session_count,
  COUNT(DISTINCT installation_id) AS installation_count,
  SUM(duration_seconds) / 3600 AS hours_in_app,
  SUM(crash_count) AS crash_count
FROM
  `pedalo-data-prod.app_external.sessions_v1`
WHERE
  submission_date = @submission_date
GROUP BY
  submission_date,
  os,
  app_version
