-- How the branches of each experiment in the app differ in bikes unlocked. Product managers look at
-- it when an experiment ends.
-- Grain: one row per submission_date, experiment_slug and branch
-- Sources:
--   pedalo-data-prod.app_external.app_pings_v1
--   pedalo-data-prod.app_external.sessions_v1
WITH enrolled AS (
  SELECT DISTINCT
    pings.installation_id,
    experiment.slug AS experiment_slug,
    experiment.branch
  FROM
    `pedalo-data-prod.app_external.app_pings_v1` AS pings
  CROSS JOIN
    UNNEST(pings.experiments) AS experiment
  WHERE
    DATE(pings.submission_timestamp) = @submission_date
    AND pings.installation_id IS NOT NULL
),
sessions AS (
  SELECT
    *
  FROM
    `pedalo-data-prod.app_external.sessions_v1`
  WHERE
    submission_date = @submission_date
),
with_sessions AS (
  SELECT
    enrolled.installation_id,
    enrolled.experiment_slug,
    enrolled.branch,
    COUNT(sessions.session_id) AS session_count,
    COUNTIF(sessions.unlocked) AS unlock_count
  FROM
    enrolled
  LEFT JOIN
    sessions
    ON enrolled.installation_id = sessions.installation_id
  GROUP BY
    installation_id,
    experiment_slug,
    branch
)
SELECT
  @submission_date AS submission_date,
  experiment_slug,
  branch,
  COUNT(*) AS installation_count,
  SUM(session_count) AS session_count,
  COUNTIF(unlock_count > 0) / COUNT(*) AS unlock_rate
FROM
  with_sessions
GROUP BY
  submission_date,
  experiment_slug,
  branch
