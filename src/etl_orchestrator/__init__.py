"""Requirements in, a finished BigQuery data model out: query, schema, metadata, tests and monitoring, held by gates."""

__version__ = "0.1.0"
