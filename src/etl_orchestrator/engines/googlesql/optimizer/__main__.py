"""`python -m … WASM FIRST END` prints the entries of these functions: one part of `optimized`."""

import sys
from pathlib import Path

from etl_orchestrator.engines.googlesql.optimizer.binary import binary_of
from etl_orchestrator.engines.googlesql.optimizer.functions import Functions

if __name__ == "__main__":
    _, _wasm, _first, _end = sys.argv
    sys.stdout.buffer.write(Functions(binary_of(Path(_wasm).read_bytes())).entries(int(_first), int(_end)))
