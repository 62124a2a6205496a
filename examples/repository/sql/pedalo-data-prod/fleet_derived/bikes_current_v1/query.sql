-- Bikes that are in use today.
SELECT
  bike_id,
  model,
  is_electric,
  home_city_code,
  commissioned_on,
  frame.size AS frame_size
FROM
  `pedalo-data-prod.fleet_external.bikes_v1`
WHERE
  retired_on IS NULL
