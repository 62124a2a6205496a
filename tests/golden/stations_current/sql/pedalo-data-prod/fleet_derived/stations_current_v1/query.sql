-- All docking stations with their city, for the map and as a dimension in reports. Closed stations
-- stay in the table, because old rides began there.
-- Grain: one row per station_id
-- Sources:
--   pedalo-data-prod.fleet_external.stations_v1
--   pedalo-data-prod.static.cities_v1
SELECT
  stations.station_id,
  stations.station_name,
  stations.city_code,
  COALESCE(cities.city_name, 'Unknown') AS city_name,
  stations.capacity,
  CASE
    WHEN stations.capacity <= 10
      THEN 'small'
    WHEN stations.capacity <= 30
      THEN 'medium'
    WHEN stations.capacity > 30
      THEN 'large'
  END AS size_class,
  stations.location,
  stations.location.address.postcode,
  ARRAY_LENGTH(stations.sponsors) AS sponsor_count,
  stations.closed_on IS NULL AS is_open
FROM
  `pedalo-data-prod.fleet_external.stations_v1` AS stations
LEFT JOIN
  `pedalo-data-prod.static.cities_v1` AS cities
  ON stations.city_code = cities.city_code
WHERE
  stations.station_id NOT LIKE 'TEST%'
