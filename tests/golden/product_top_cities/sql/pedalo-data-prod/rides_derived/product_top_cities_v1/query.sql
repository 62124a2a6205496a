-- Busiest cities by product: submission_date, product, city_code.
-- Grain: submission_date, product, city_code
-- Sources:
--   pedalo-data-prod.rides_external.rides_v1
SELECT
  rides.submission_date,
  rides.product,
  rides.city_code,
  COUNT(*) AS ride_count,
  RANK() OVER (
    PARTITION BY
      rides.submission_date,
      rides.product
    ORDER BY
      COUNT(*) DESC
  ) AS city_rank
FROM
  `pedalo-data-prod.rides_external.rides_v1` AS rides
WHERE
  submission_date = @submission_date
GROUP BY
  submission_date,
  product,
  city_code
QUALIFY
  city_rank <= 3
