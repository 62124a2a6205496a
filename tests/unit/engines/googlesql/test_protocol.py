"""Messages without the modules that `zetasql` has for them, and beside them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from etl_orchestrator.engines.googlesql import protocol

_THEIRS = "from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as theirs"
_OURS = "from etl_orchestrator.engines.googlesql import protocol"


def _printed(*lines: str) -> str:
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_no_module_of_messages_is_run() -> None:
    loaded = "print([name for name in sys.modules if name.startswith('zetasql.')])"
    assert _printed("import sys", _OURS, "protocol.AnalyzeResponse()", loaded) == "['zetasql.__version__']"


@pytest.mark.parametrize("lines", [(_OURS, _THEIRS), (_THEIRS, _OURS)], ids=["before theirs", "after theirs"])
def test_beside_the_modules_of_zetasql(lines: tuple[str, str]) -> None:
    ours = "mine = protocol.RegisterCatalogRequest(simple_catalog=protocol.SimpleCatalogProto(name='n'))"
    same = "print(theirs.RegisterCatalogRequest.FromString(mine.SerializeToString()) == mine)"
    assert _printed(*lines, ours, same) == "True"


def test_a_release_that_keeps_them_otherwise_is_asked_by_its_modules() -> None:
    kept_otherwise = (
        "from importlib.machinery import SourceFileLoader as Loader",
        "real, own = Loader.get_code, lambda name: name.endswith('_pb2') and name.split('.')[1] not in ('wasi', 'protobuf')",
        "Loader.get_code = lambda self, name: None if own(name) else real(self, name)",
    )
    made = "print(protocol.SimpleCatalogProto(name='n').name, 'zetasql.wasi' in sys.modules)"
    assert _printed("import sys", *kept_otherwise, _OURS, made) == "n True"


def test_enums_have_the_numbers_of_zetasql() -> None:
    from zetasql.wasi._pb2.zetasql.public.function_pb2 import FunctionEnums
    from zetasql.wasi._pb2.zetasql.public.options_pb2 import LanguageFeature

    assert dict(protocol.LanguageFeature) == dict(LanguageFeature.items())
    assert protocol.TypeKind.name_of(protocol.TypeKind.TYPE_INT64) == "TYPE_INT64"
    assert protocol.FunctionEnums.AGGREGATE == FunctionEnums.AGGREGATE


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match="no `TypeProtocol`"):
        _ = protocol.TypeProtocol
    with pytest.raises(AttributeError, match="no value `TYPE_VARCHAR`"):
        _ = protocol.TypeKind.TYPE_VARCHAR
