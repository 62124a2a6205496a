DECLARE last_day DATE DEFAULT CURRENT_DATE();

INSERT INTO
  `acme-data.shop_derived.daily_orders_v1` (order_date)
VALUES
  (last_day);
