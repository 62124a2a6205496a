-- Rides per city, product and day.
SELECT
  submission_date,
  city_code,
  product,
  COUNT(*) AS ride_count,
  COUNT(DISTINCT rider_id) AS rider_count,
  SUM(distance_m) / 1000 AS distance_km,
  SUM(price) AS gross_price
FROM
  `pedalo-data-prod.rides_external.rides_v1`
WHERE
  submission_date = @submission_date
  AND ended_at IS NOT NULL
GROUP BY
  submission_date,
  city_code,
  product
