-- Cost of the repairs of a day. Labour is paid at 42 euro an hour.
WITH part_costs AS (
  SELECT
    repair_id,
    SUM(part.quantity * part.unit_cost) AS parts_cost
  FROM
    `pedalo-data-prod.fleet_external.repairs_v1`
  CROSS JOIN
    UNNEST(parts) AS part
  WHERE
    closed_date = @submission_date
  GROUP BY
    repair_id
)
SELECT
  repairs.closed_date,
  repairs.bike_id,
  bikes.model,
  COUNT(*) AS repair_count,
  SUM(COALESCE(part_costs.parts_cost, 0)) AS parts_cost,
  SUM(CAST(repairs.labour_minutes AS NUMERIC)) * 42 / 60 AS labour_cost
FROM
  `pedalo-data-prod.fleet_external.repairs_v1` AS repairs
LEFT JOIN
  part_costs
  ON repairs.repair_id = part_costs.repair_id
LEFT JOIN
  `pedalo-data-prod.fleet_external.bikes_v1` AS bikes
  ON repairs.bike_id = bikes.bike_id
WHERE
  repairs.closed_date = @submission_date
GROUP BY
  repairs.closed_date,
  repairs.bike_id,
  bikes.model
