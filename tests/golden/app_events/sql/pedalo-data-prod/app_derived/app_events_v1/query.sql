-- Events of the app, one row each, taken out of the batches in which the app sends them.
-- Grain: one row per submission_date, document_id and event_index
-- Sources:
--   pedalo-data-prod.app_external.app_pings_v1
SELECT
  DATE(pings.submission_timestamp) AS submission_date,
  pings.document_id,
  event_index,
  pings.installation_id,
  pings.rider_id,
  pings.client_info.os,
  pings.client_info.device.model AS device_model,
  event.category,
  event.name AS event_name,
  event.timestamp_ms / 1000 AS seconds_in_batch,
  (
    SELECT
      detail.value
    FROM
      UNNEST(event.extra) AS detail
    WHERE
      detail.key = 'button'
    LIMIT
      1
  ) AS button,
  ARRAY(
    SELECT
      experiment.slug
    FROM
      UNNEST(pings.experiments) AS experiment
    ORDER BY
      experiment.slug
  ) AS experiment_slugs
FROM
  `pedalo-data-prod.app_external.app_pings_v1` AS pings
CROSS JOIN
  UNNEST(pings.events) AS event
  WITH OFFSET AS event_index
WHERE
  DATE(pings.submission_timestamp) = @submission_date
  AND event.category != 'help'
