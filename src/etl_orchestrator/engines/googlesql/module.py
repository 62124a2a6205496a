"""The compiled analyzer: WebAssembly made native code once per machine, kept in a private folder.

Making it takes a minute of two cores and 1.2 GB, half of that for the optimizer, which makes it three to four times as
fast; loading what was kept takes a few milliseconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import wasmtime
import zetasql
from wasmtime import Config, Engine, Module, WasmtimeError

from etl_orchestrator.errors import Unavailable

#: Changes whenever the optimizer or `config` changes what is compiled.
_RECIPE = "optimized-4"
#: Two words in the lowest part of the memory. Each loop of the optimized module looks at the first, and traps where it is
#: not zero: so a call is stopped. The second are the nanoseconds (64 bits) that its clock shows. They stand below the
#: stack, which grows down from 8 MiB and ends with wasmtime's at 1.8 MiB or above, and above what the analyzer reads
#: through NULL, which must be zero: it does (`NORMALIZE_AND_CASEFOLD(x, NFKC)` at 8).
STOP_ADDRESS, CLOCK_ADDRESS = 1 << 18, (1 << 18) + 8
#: Deep expressions need more than the 512 KiB that wasmtime gives; it refuses more than 2 MiB.
_STACK_BYTES = 2 << 20
_UNUSED_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Compiled:
    """The module and the engine it was made for; `memory` is where what it holds after its start is kept, if it is."""

    engine: Engine
    module: Module
    memory: Path | None = None


def cache_folder() -> Path:
    """`$ETLO_CACHE_DIR`, else `etl-orchestrator` in the user's cache folder."""
    own = os.environ.get("ETLO_CACHE_DIR")
    if own:
        return Path(own)
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "etl-orchestrator"


def analyzer_file() -> Path:
    """The WebAssembly file inside the `zetasql` package."""
    return Path(zetasql.__file__).parent / "wasi" / "zetasql.wasm"


def load(
    folder: Path | None = None, on_compile: Callable[[str], None] | None = None, wasm: Path | None = None
) -> Compiled:
    """The analyzer (or another WebAssembly file), with an engine of its own.

    Compiles it when the folder has none, telling `on_compile` before and after; of several processes one compiles
    and the others wait. Where the folder cannot be written, compiles for this process only.
    """
    engine = Engine(config())
    tell = on_compile or (lambda _: None)
    wasm = wasm or analyzer_file()
    try:
        private = _private(folder or cache_folder())
    except OSError as error:
        tell(f"cannot keep the compiled SQL analyzer ({error}); compiling it for this run only")
        return Compiled(engine, _compiled(engine, wasm))
    kept = private / f"{_key(wasm)}.cwasm"
    memory = kept.with_suffix(".memory")
    module = _read(engine, kept)
    if module:
        return Compiled(engine, module, memory)
    with (private / f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Compiled(engine, _read(engine, kept) or _compile(engine, wasm, kept, tell), memory)


def config() -> Config:
    """How the module is compiled and run."""
    # single_pass register allocation would compile in 0.6 of the time and run at 0.7 of the speed: not worth it.
    made = Config()
    made.shared_memory = True  # the analyzer declares a shared memory
    made.max_wasm_stack = _STACK_BYTES
    return made


def _key(wasm: Path) -> str:
    """Native code fits one wasmtime, one input, one machine; sizes and times of change stand for their files."""
    files = (wasm, Path(wasmtime.__file__))
    parts = (*((f.stat().st_size, f.stat().st_mtime_ns) for f in files), _RECIPE, platform.system(), platform.machine())
    return f"zetasql-{hashlib.sha256(repr(parts).encode()).hexdigest()[:20]}"


def _private(folder: Path) -> Path:
    """The folder for native code: ours alone, because whoever can write there can run code as us."""
    private = folder / "native"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = private.stat()
    if status.st_uid != os.getuid():
        raise Unavailable(
            f"`{private}` belongs to another user, so the compiled SQL analyzer is not taken from it",
            fix="set ETLO_CACHE_DIR to a folder of your own",
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        private.chmod(0o700)
    if not os.access(private, os.W_OK):
        raise PermissionError(f"`{private}` cannot be written")
    return private


def _read(engine: Engine, kept: Path) -> Module | None:
    """None when there is none or it is damaged."""
    if not kept.exists():
        return None
    try:
        module = Module.deserialize_file(engine, str(kept))
    except WasmtimeError:
        return None
    with suppress(OSError):
        os.utime(kept)  # it was used, see _forget_unused
    return module


def _forget_unused(folder: Path) -> None:
    """Native code that nobody has taken for a month is gone: each is 90 MB, and each version of a package makes one."""
    before = time.time() - _UNUSED_SECONDS
    with suppress(OSError):
        for old in folder.glob("*.cwasm"):
            if old.stat().st_mtime < before:
                for file in (old, old.with_suffix(".memory"), old.with_name(f"{old.name}.lock")):
                    file.unlink(missing_ok=True)


def keep(file: Path, content: bytes | bytearray) -> None:
    """The whole file, readable by us alone, or none of it."""
    import tempfile  # 4 ms of a start; a file is kept once per machine

    handle, partial = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        os.replace(partial, file)
    except OSError:
        Path(partial).unlink(missing_ok=True)
        raise


def _compile(engine: Engine, wasm: Path, kept: Path, tell: Callable[[str], None]) -> Module:
    tell("compiling the SQL analyzer for this machine, once (about a minute)")
    began = time.monotonic()
    module = _compiled(engine, wasm)
    try:
        keep(kept, module.serialize())
        _forget_unused(kept.parent)
    except OSError as error:
        tell(f"cannot keep the compiled SQL analyzer ({error})")
        return module
    tell(f"compiled the SQL analyzer in {time.monotonic() - began:.0f} s")
    return module


def _compiled(engine: Engine, wasm: Path) -> Module:
    """Optimized also where that takes longer than what is asked: only so can a call be stopped."""
    from etl_orchestrator.engines.googlesql.optimizer import optimized  # once per machine, not at each start

    return Module(engine, optimized(wasm))
