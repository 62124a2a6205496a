-- The last state that the lock reported for each ride on a day. The queue delivers some messages
-- twice; the one with the highest sequence counts, and of two with the same sequence the one
-- received last.
-- Grain: one row per ride_id and submission_date
-- Sources:
--   pedalo-data-prod.rides_external.ride_updates_v1
SELECT
  submission_date,
  ride_id,
  bike_id,
  city_code,
  state,
  sequence,
  received_at,
  battery_percent,
  JSON_VALUE(updates.payload, '$.pause.reason') AS pause_reason
FROM
  `pedalo-data-prod.rides_external.ride_updates_v1` AS updates
WHERE
  updates.submission_date = @submission_date
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY ride_id ORDER BY sequence DESC, received_at DESC) = 1
