-- How often each rider rode in the four weeks that end on a day. Marketing writes to riders whose
-- rides of the last week are far below their usual number.
-- Grain: One row per `rider_id` and `submission_date`, for riders with at least one ride in the 28
-- days.
-- Sources:
--   pedalo-data-prod.rides_derived.rider_days_v1
SELECT
  @submission_date AS submission_date,
  rider_id,
  SUM(days.ride_count) AS rides_28d,
  SUM(
    IF(days.submission_date > DATE_SUB(@submission_date, INTERVAL 7 DAY), days.ride_count, 0)
  ) AS rides_7d,
  COUNT(DISTINCT days.submission_date) AS active_days_28d,
  MAX(days.submission_date) AS last_ride_date,
  LOGICAL_OR(days.used_electric) AS used_electric
FROM
  `pedalo-data-prod.rides_derived.rider_days_v1` AS days
WHERE
  submission_date
  BETWEEN DATE_SUB(@submission_date, INTERVAL 27 DAY)
  AND @submission_date
GROUP BY
  submission_date,
  rider_id
