"""The file formats of a bigquery-etl repository; nothing outside this folder knows a file name."""
