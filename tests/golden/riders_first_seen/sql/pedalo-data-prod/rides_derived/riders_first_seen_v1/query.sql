-- The day of the first ride of every rider. A run adds the riders that the table does not know yet;
-- the very first run goes through the whole history.
-- Grain: one row per rider_id
-- Sources:
--   pedalo-data-prod.rides_derived.riders_first_seen_v1
--   pedalo-data-prod.rides_external.rides_v1
{% if is_init() %}
  SELECT
    MIN(rides.submission_date) AS first_seen_date,
    rider_id,
    ARRAY_AGG(rides.city_code IGNORE NULLS ORDER BY rides.started_at LIMIT 1)[
      SAFE_OFFSET(0)
    ] AS first_city_code,
    ARRAY_AGG(rides.product IGNORE NULLS ORDER BY rides.started_at LIMIT 1)[
      SAFE_OFFSET(0)
    ] AS first_product
  FROM
    `pedalo-data-prod.rides_external.rides_v1` AS rides
  WHERE
    submission_date >= '2022-03-01'
    AND rider_id IS NOT NULL
  GROUP BY
    rider_id
{% else %}
  SELECT
    MIN(rides.submission_date) AS first_seen_date,
    rides.rider_id,
    ARRAY_AGG(rides.city_code IGNORE NULLS ORDER BY rides.started_at LIMIT 1)[
      SAFE_OFFSET(0)
    ] AS first_city_code,
    ARRAY_AGG(rides.product IGNORE NULLS ORDER BY rides.started_at LIMIT 1)[
      SAFE_OFFSET(0)
    ] AS first_product
  FROM
    (
      SELECT
        *
      FROM
        `pedalo-data-prod.rides_external.rides_v1`
      WHERE
        submission_date = @submission_date
        AND rider_id IS NOT NULL
    ) AS rides
  LEFT JOIN
    (
      SELECT
        *
      FROM
        `pedalo-data-prod.rides_derived.riders_first_seen_v1`
      WHERE
        first_seen_date < @submission_date
    ) AS seen
    ON rides.rider_id = seen.rider_id
  WHERE
    seen.rider_id IS NULL
  GROUP BY
    rider_id
{% endif %}
