"""`python -m etl_orchestrator`."""

from etl_orchestrator.cli import main

main()
