"""The cache of compiled code, with a WebAssembly file of eight bytes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from etl_orchestrator.engines.googlesql.module import analyzer_file, cache_folder, load
from etl_orchestrator.errors import Unavailable

EMPTY = b"\0asm\1\0\0\0"


@pytest.fixture
def wasm(tmp_path: Path) -> Path:
    file = tmp_path / "empty.wasm"
    file.write_bytes(EMPTY)
    return file


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "native").glob("*.cwasm"))


def test_the_first_load_compiles_and_tells_the_second_is_silent(tmp_path: Path, wasm: Path) -> None:
    told: list[str] = []
    load(tmp_path, told.append, wasm)
    assert len(told) == 2
    assert "once" in told[0]
    load(tmp_path, told.append, wasm)
    assert len(told) == 2
    assert len(kept(tmp_path)) == 1
    assert not list((tmp_path / "native").glob("*.part"))


def test_the_folder_is_private_even_when_it_was_not(tmp_path: Path, wasm: Path) -> None:
    (tmp_path / "native").mkdir(mode=0o755)
    load(tmp_path, wasm=wasm)
    assert stat.S_IMODE((tmp_path / "native").stat().st_mode) == 0o700
    assert stat.S_IMODE(kept(tmp_path)[0].stat().st_mode) & 0o077 == 0


def test_a_damaged_file_is_compiled_again(tmp_path: Path, wasm: Path) -> None:
    load(tmp_path, wasm=wasm)
    kept(tmp_path)[0].write_bytes(b"half")
    told: list[str] = []
    load(tmp_path, told.append, wasm)
    assert told
    assert kept(tmp_path)[0].read_bytes() != b"half"


def test_native_code_that_was_not_used_for_a_month_is_gone_when_other_is_made(tmp_path: Path, wasm: Path) -> None:
    load(tmp_path, wasm=wasm)
    (old,) = kept(tmp_path)
    month = time.time() - 31 * 24 * 3600
    os.utime(old, (month, month))
    load(tmp_path, wasm=wasm)  # used, so it stays
    os.utime(wasm, ns=(1, 1))
    load(tmp_path, wasm=wasm)
    assert len(kept(tmp_path)) == 2
    os.utime(old, (month, month))
    os.utime(wasm, ns=(2, 2))
    load(tmp_path, wasm=wasm)
    assert old not in kept(tmp_path)
    assert len(kept(tmp_path)) == 2
    assert not old.with_name(f"{old.name}.lock").exists()


def test_another_input_is_another_file(tmp_path: Path, wasm: Path) -> None:
    load(tmp_path, wasm=wasm)
    os.utime(wasm, ns=(1, 1))
    load(tmp_path, wasm=wasm)
    assert len(kept(tmp_path)) == 2


def test_a_folder_that_cannot_be_made_is_no_reason_to_stop(tmp_path: Path, wasm: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str] = []
    load(tmp_path / "file", told.append, wasm)
    assert "cannot keep" in told[0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, wasm: Path) -> None:
    (tmp_path / "native").mkdir()
    os.chown(tmp_path / "native", 12345, -1)
    with pytest.raises(Unavailable, match="another user"):
        load(tmp_path, wasm=wasm)


def test_of_several_processes_one_compiles(tmp_path: Path, wasm: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from etl_orchestrator.engines.googlesql.module import load;"
        "load(Path(sys.argv[1]), lambda line: print(line), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(wasm)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = "".join(process.communicate(timeout=60)[0] for process in running)
    assert [process.returncode for process in running] == [0, 0, 0]
    assert said.count("compiling") == 1


def test_the_folder_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETLO_CACHE_DIR", "/own")
    assert cache_folder() == Path("/own")
    monkeypatch.delenv("ETLO_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/etl-orchestrator")


def test_the_analyzer_is_where_the_package_has_it() -> None:
    assert analyzer_file().read_bytes()[:4] == EMPTY[:4]
