DECLARE done BOOL DEFAULT FALSE;

-- DROP TABLE x;
BEGIN
  create or replace table `acme-data.shop_derived.daily_orders_v1` AS
  SELECT
    'DELETE' AS word;
END;
