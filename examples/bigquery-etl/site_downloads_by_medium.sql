-- Downloads from the site by medium, beside the sessions that brought them.
WITH sessions AS (
  SELECT
    session_date,
    COALESCE(medium, '(none)') AS medium,
    COUNT(*) AS session_count,
    COUNTIF(is_first_session) AS first_session_count
  FROM
    `moz-fx-data-shared-prod.mozilla_org_derived.ga_sessions_v2`
  WHERE
    session_date = @submission_date
  GROUP BY
    session_date,
    medium
),
downloads AS (
  SELECT
    `date`,
    COALESCE(medium, '(none)') AS medium,
    SUM(downloads) AS download_count
  FROM
    `moz-fx-data-shared-prod.mozilla_org_derived.www_site_downloads_v3`
  WHERE
    `date` = @submission_date
  GROUP BY
    `date`,
    medium
)
SELECT
  COALESCE(sessions.session_date, downloads.`date`) AS submission_date,
  COALESCE(sessions.medium, downloads.medium) AS medium,
  COALESCE(sessions.session_count, 0) AS session_count,
  COALESCE(sessions.first_session_count, 0) AS first_session_count,
  COALESCE(downloads.download_count, 0) AS download_count
FROM
  sessions
FULL JOIN
  downloads
  ON sessions.session_date = downloads.`date`
  AND sessions.medium = downloads.medium
