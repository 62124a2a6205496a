-- Changes of plan, one row each, so that a change from monthly to yearly can be counted by day.
-- Grain: one row per subscription_id and change_number
-- Sources:
--   pedalo-data-prod.payments_external.subscriptions_v1
SELECT
  subscriptions.subscription_id,
  change_index + 1 AS change_number,
  change.changed_on,
  subscriptions.rider_id,
  change.from_plan,
  change.to_plan,
  DATE_DIFF(change.changed_on, subscriptions.started_on, DAY) AS days_since_start,
  change.to_plan = 'yearly'
  AND change.from_plan != 'yearly' AS is_upgrade
FROM
  `pedalo-data-prod.payments_external.subscriptions_v1` AS subscriptions
CROSS JOIN
  UNNEST(subscriptions.changes) AS change
  WITH OFFSET AS change_index
