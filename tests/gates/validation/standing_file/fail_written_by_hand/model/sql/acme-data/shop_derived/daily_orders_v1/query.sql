-- Another query.
SELECT
  1 AS one
