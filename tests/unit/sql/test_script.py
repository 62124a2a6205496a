"""The structure of scripts: what stands where, and what is broken."""

from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.script import parse
from etl_orchestrator.sql.script_nodes import (
    Assign,
    Block,
    Call,
    Declare,
    Execute,
    If,
    Jump,
    Loop,
    Node,
    Raise,
    Span,
    Statement,
)


def only(text: str) -> Node:
    (node,) = parse(text)
    return node


@pytest.mark.parametrize(
    ("text", "kind", "name", "temporary"),
    [
        ("SELECT 1; -- end", "QUERY", "", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "QUERY", "", False),
        ("(SELECT ';' AS a) UNION ALL SELECT 2", "QUERY", "", False),
        ("FROM a |> WHERE b", "QUERY", "", False),
        ("CREATE OR REPLACE TEMP TABLE t PARTITION BY d AS SELECT 1 AS a", "CREATE TABLE", "t", True),
        ("CREATE TEMPORARY FUNCTION f(a INT64) AS (a)", "CREATE FUNCTION", "f", True),
        ("CREATE OR REPLACE MATERIALIZED VIEW IF NOT EXISTS `p-x.d`.v AS SELECT 1 AS a", "CREATE VIEW", "p-x.d.v", False),
        ("CREATE TABLE FUNCTION d.f(a INT64) AS SELECT a", "CREATE TABLE FUNCTION", "d.f", False),
        ("CREATE AGGREGATE FUNCTION d.f(a INT64) AS (SUM(a))", "CREATE FUNCTION", "d.f", False),
        ("INSERT INTO proj-one.d.t (a) SELECT 1", "INSERT", "proj-one.d.t", False),
        ("INSERT d.t VALUES (1)", "INSERT", "d.t", False),
        ("MERGE INTO d.t AS t USING d.s AS s ON FALSE WHEN MATCHED THEN DELETE", "MERGE", "d.t", False),
        ("DELETE d.t WHERE TRUE", "DELETE", "d.t", False),
        ("UPDATE d.t SET a = 1 WHERE TRUE", "UPDATE", "d.t", False),
        ("TRUNCATE TABLE d.t", "TRUNCATE TABLE", "d.t", False),
        ("DROP TABLE IF EXISTS d.t", "DROP TABLE", "d.t", False),
        ("ALTER TABLE d.t ADD COLUMN a INT64", "ALTER TABLE", "d.t", False),
        ("EXPORT DATA OPTIONS(uri = 'x') AS SELECT 1", "EXPORT DATA", "", False),
        ("BEGIN", "BEGIN TRANSACTION", "", False),
        ("COMMIT TRANSACTION", "COMMIT TRANSACTION", "", False),
        ("ASSERT TRUE AS 'so'", "ASSERT", "", False),
    ],
)  # fmt: skip
def test_statements(text: str, kind: str, name: str, temporary: bool) -> None:
    node = only(text)
    assert isinstance(node, Statement)
    assert (node.kind, ".".join(node.name), node.temporary) == (kind, name, temporary)
    assert node.span.of(text) == text.partition("; --")[0]


def test_statements_end_at_semicolons_outside_strings_and_comments() -> None:
    text = "SELECT ';' AS a; /* ; */\nSELECT `;` FROM b -- ;\n;;SELECT 3"
    assert [node.span.of(text) for node in parse(text)] == ["SELECT ';' AS a", "SELECT `;` FROM b", "SELECT 3"]


def test_variables() -> None:
    text = "DECLARE a, b ARRAY<STRUCT<k STRING, v INT64>> DEFAULT []; DECLARE c DEFAULT (SELECT 1); SET (a, b) = f(1); SET @@time_zone = 'UTC'"
    first, second, third, fourth = parse(text)
    assert isinstance(first, Declare)
    assert isinstance(second, Declare)
    assert isinstance(third, Assign)
    assert isinstance(fourth, Assign)
    assert (first.names, first.type and first.type.of(text), first.default and first.default.of(text)) == (
        ("a", "b"), "ARRAY<STRUCT<k STRING, v INT64>>", "[]",
    )  # fmt: skip
    assert (second.type, second.default and second.default.of(text)) == (None, "(SELECT 1)")
    assert (third.names, third.value.of(text)) == (("a", "b"), "f(1)")
    assert fourth.names == ("@@time_zone",)


def test_branches_know_a_case_from_their_own_then() -> None:
    text = "IF CASE WHEN a THEN b ELSE c END THEN SELECT 1; ELSEIF d THEN ELSE SELECT 2; SELECT 3; END IF; SELECT 4"
    node, last = parse(text)
    assert isinstance(node, If)
    found = [(branch.condition and branch.condition.of(text), len(branch.body)) for branch in node.branches]
    assert found == [("CASE WHEN a THEN b ELSE c END", 1), ("d", 0), (None, 2)]
    assert isinstance(last, Statement)


def test_a_case_statement() -> None:
    text = "CASE a + 1 WHEN 1 THEN SELECT 1; WHEN 2 THEN SELECT 2; ELSE SELECT 3; END CASE"
    node = only(text)
    assert isinstance(node, If)
    assert node.operand
    assert node.operand.of(text) == "a + 1"
    assert [branch.condition and branch.condition.of(text) for branch in node.branches] == ["1", "2", None]


@pytest.mark.parametrize(
    ("text", "kind", "condition", "variable", "label"),
    [
        ("LOOP SELECT 1; END LOOP", "LOOP", "", "", ""),
        ("again: WHILE i < 3 DO SELECT 1; END WHILE again", "WHILE", "i < 3", "", "again"),
        ("REPEAT SELECT 1; UNTIL i > 3 END REPEAT", "REPEAT", "i > 3", "", ""),
        ("FOR row IN (SELECT 1 AS a) DO SELECT 1; END FOR;", "FOR", "(SELECT 1 AS a)", "row", ""),
    ],
)
def test_loops(text: str, kind: str, condition: str, variable: str, label: str) -> None:
    node = only(text)
    assert isinstance(node, Loop)
    found = node.condition.of(text) if node.condition else ""
    assert (node.kind, found, node.variable, node.label) == (kind, condition, variable, label)
    assert len(node.body) == 1


def test_blocks_handlers_and_jumps() -> None:
    text = "BEGIN LOOP LEAVE; END LOOP; RETURN; EXCEPTION WHEN ERROR THEN RAISE; RAISE USING MESSAGE = @@error.message; END; SELECT 1"
    block, _ = parse(text)
    assert isinstance(block, Block)
    loop, returned = block.body
    assert isinstance(loop, Loop)
    assert isinstance(loop.body[0], Jump)
    assert (loop.body[0].kind, isinstance(returned, Jump) and returned.kind) == ("BREAK", "RETURN")
    assert block.handler is not None
    assert [node.message.of(text) if isinstance(node, Raise) and node.message else "" for node in block.handler] == [
        "", "@@error.message",
    ]  # fmt: skip


def test_transactions_are_no_blocks() -> None:
    kinds = [
        node.kind
        for node in parse("BEGIN TRANSACTION; SELECT 1; COMMIT; BEGIN; ROLLBACK")
        if isinstance(node, Statement)
    ]
    assert kinds == [
        "BEGIN TRANSACTION", "QUERY", "COMMIT TRANSACTION", "BEGIN TRANSACTION", "ROLLBACK TRANSACTION",
    ]  # fmt: skip


def test_calls_and_dynamic_sql() -> None:
    text = "CALL `p-x.d`.f(1, (SELECT 2, 3), out); EXECUTE IMMEDIATE FORMAT('a', b) INTO x, y USING 1 AS one, z"
    call, execute = parse(text)
    assert isinstance(call, Call)
    assert call.name == ("p-x", "d", "f")
    assert [argument.of(text) for argument in call.arguments] == ["1", "(SELECT 2, 3)", "out"]
    assert isinstance(execute, Execute)
    assert (execute.text.of(text), execute.into) == ("FORMAT('a', b)", ("x", "y"))
    assert [(value.of(text), name) for value, name in execute.using] == [("1", "one"), ("z", "")]


def test_a_procedure_holds_its_block() -> None:
    text = "CREATE OR REPLACE PROCEDURE d.p(a INT64, OUT b STRING) OPTIONS(x = 1) BEGIN SET b = 'x'; IF a > 1 THEN SELECT 1; END IF; END; SELECT 2"
    procedure, last = parse(text)
    assert isinstance(procedure, Statement)
    assert procedure.body
    assert [type(node) for node in procedure.body.body] == [Assign, If]
    assert last.span.of(text) == "SELECT 2"


def test_words_of_statements_may_be_names_inside_them() -> None:
    text = "SELECT begin, `end`, loop FROM t; SELECT IF(a, b, c) AS d"
    assert [isinstance(node, Statement) and node.kind for node in parse(text)] == ["QUERY", "QUERY"]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("IF a THEN SELECT 1;", "expected END, found the end", "line 1, column 20"),
        ("SELECT 1;\nEND;", "`END` begins no statement", "line 2, column 1"),
        ("WHILE a SELECT 1; END WHILE", "expected DO, found `;`", "line 1, column 17"),
        ("BEGIN SELECT 1 END", "expected END", "line 1, column 19"),
        ("SET a = ;", "expected an expression", "line 1, column 9"),
        ("SELECT 1; 2", "`2` begins no statement", "line 1, column 11"),
        ("SELECT 'a", "never closed", "line 1, column 8"),
    ],
)
def test_what_is_broken(text: str, message: str, place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.at == place


def test_an_empty_text_has_no_statement() -> None:
    assert parse(" -- nothing\n ; ") == ()
    assert Span(0, 3).of("abcd") == "abc"
