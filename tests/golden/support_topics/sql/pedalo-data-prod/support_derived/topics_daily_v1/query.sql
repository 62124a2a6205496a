-- What riders write to us about, and how long they wait for an answer. Only the help desk looks at
-- it, once a week.
-- Grain: One row for each topic on each day, that is per snapshot_date and topic.
-- Sources:
--   pedalo-data-prod.support_external.tickets_v1
SELECT
  snapshot_date,
  COALESCE(tickets.topic, 'other') AS topic,
  COUNT(*) AS ticket_count,
  COUNTIF(tickets.status = 'solved') AS solved_count,
  SUM(
    (SELECT COUNTIF(message.author_type = 'agent') FROM UNNEST(tickets.messages) AS message)
  ) AS agent_messages,
  AVG(TIMESTAMP_DIFF(tickets.solved_at, tickets.created_at, MINUTE)) / 60 AS mean_hours_to_solve,
  AVG(tickets.satisfaction) AS mean_satisfaction
FROM
  `pedalo-data-prod.support_external.tickets_v1` AS tickets
WHERE
  snapshot_date = @submission_date
GROUP BY
  snapshot_date,
  topic
