"""JavaScript functions, run by an embedded QuickJS without network, files or modules.

Values cross the border as text, by the encodings that BigQuery documents: INT64 arrives as a string, NUMERIC as a number
where that is exact and whole, BYTES as base64, DATE and TIMESTAMP as Date, STRUCT as an object. What is undocumented is
refused by name and not guessed. The state of a function's global variables is kept from call to call.
https://cloud.google.com/bigquery/docs/user-defined-functions#supported-javascript-udf-data-types
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from etl_orchestrator.engines.googlesql.computed import Failed, typed
from etl_orchestrator.engines.googlesql.supplied import LACKS
from etl_orchestrator.errors import EngineCrashed, Unsupported
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Value

SECONDS, MEMORY_BYTES, STACK_BYTES = 5.0, 256 << 20, 1 << 20
_ARGUMENT_TYPES = frozenset(
    ["STRING", "BYTES", "INTEGER", "FLOAT", "BOOLEAN", "RECORD", "DATE", "TIMESTAMP", "NUMERIC", "BIGNUMERIC", "JSON"]
)
#: Takes the types of arguments and result, the names of the arguments and the body; gives a function from JSON text to
#: JSON text. Whole numbers leave as text, because a number cannot hold all of INT64.
_BORDER = r"""
(function (shape) {
  const lacking = (what) => { throw new Error("LACKS" + what); };
  const failed = (type, value) => { throw new TypeError("Failed to coerce output value " + String(value) + " to type " + type); };
  const decode = (type, value) => {
    if (value === null) return null;
    if (type.repeated) return value.map((item) => decode(type.element, item));
    switch (type.name) {
      case "RECORD": return Object.fromEntries(type.fields.map((field) => [field.key, decode(field, value[field.key])]));
      case "INTEGER": return String(value);
      case "FLOAT": return Number(value);
      case "NUMERIC": case "BIGNUMERIC": {
        const number = Number(value);
        return Number.isSafeInteger(number) && /^-?\d+$/.test(String(value)) ? number : String(value);
      }
      case "DATE": return new Date(value + "T00:00:00.000Z");
      case "TIMESTAMP": {
        const parts = /^(.*?)(?:\.(\d+))?Z$/.exec(value), micros = (parts[2] || "").padEnd(6, "0");
        const date = new Date(parts[1] + "." + micros.slice(0, 3) + "Z");
        date.microsecond = Number(micros.slice(3));
        return date;
      }
      default: return value;
    }
  };
  const encode = (type, value) => {
    if (value === null || value === undefined) return null;
    if (type.repeated) {
      if (!Array.isArray(value)) failed("ARRAY", value);
      return Array.from(value, (item) => encode(type.element, item));
    }
    const kind = value instanceof Date ? "Date" : typeof value;
    switch (type.name) {
      case "RECORD":
        if (kind !== "object" || Array.isArray(value)) failed("STRUCT", value);
        return Object.fromEntries(type.fields.map((field) => [field.key, encode(field, value[field.key])]));
      case "STRING":
        if (kind === "string") return value;
        if (kind === "number" || kind === "boolean" || kind === "bigint") return String(value);
        break;
      case "INTEGER":
        if (kind === "bigint" || (kind === "number" && Number.isSafeInteger(value))) return String(value);
        if (kind === "number" && Number.isInteger(value)) return BigInt(value).toString();
        if (kind === "string") return /^\s*[+-]?\d+\s*$/.test(value) ? value.trim() : failed("INT64", value);
        if (kind === "number" && Number.isFinite(value)) lacking("fractions from JavaScript as INT64");
        if (kind === "number") failed("INT64", value);
        break;
      case "FLOAT":
        if (kind === "number" || kind === "bigint") return String(Number(value));
        if (kind === "string" && value.trim() !== "" && !Number.isNaN(Number(value))) return String(Number(value));
        if (kind === "string") failed("FLOAT64", value);
        break;
      case "BOOLEAN":
        if (kind === "boolean") return value;
        if (kind === "number") return value !== 0;
        break;
      case "NUMERIC": case "BIGNUMERIC":
        if (kind === "number" || kind === "bigint" || kind === "string") return String(value);
        break;
      case "BYTES":
        if (kind === "string") return value;
        break;
      case "DATE": case "TIMESTAMP":
        if (kind === "Date") {
          if (Number.isNaN(value.getTime())) failed(type.name, value);
          return value.toISOString();
        }
        break;
      case "JSON": {
        const text = JSON.stringify(value);
        return text === undefined ? null : text;
      }
    }
    lacking(kind + " from JavaScript as " + type.name);
  };
  const body = new Function(...shape.arguments.map((argument) => argument.key), shape.body);
  return (text) => {
    const given = JSON.parse(text);
    const result = body(...shape.arguments.map((argument) => decode(argument, given[argument.key])));
    return JSON.stringify(encode(shape.result, result));
  };
})
""".replace("LACKS", LACKS)


class JavaScript:
    """One function: `arguments` with their names, `result`, and its `body`. Raises Unsupported for a type that no
    JavaScript function takes. `seconds` bounds a call."""

    def __init__(
        self, name: str, arguments: Sequence[Field], result: Field, body: str, seconds: float = SECONDS
    ) -> None:
        for argument in arguments:
            _refuse_foreign(argument, name)
        _refuse_foreign(result, name)
        self.name = name
        self.arguments = tuple(arguments)
        self.result = result
        self._body = body
        self._seconds = seconds

    def __call__(self, key: str) -> Value:
        """The result for arguments as JSON text. Raises Failed for an error that the function throws."""
        import quickjs

        try:
            text = self._function(key)
        except quickjs.JSException as error:
            raise self._failure(error) from None
        return typed(self.result, json.loads(text))

    @cached_property
    def _function(self) -> Any:
        import quickjs

        context = quickjs.Context()
        context.set_memory_limit(MEMORY_BYTES)
        context.set_time_limit(self._seconds)
        context.set_max_stack_size(STACK_BYTES)
        shape = {
            "arguments": [_shape(argument) for argument in self.arguments],
            "result": _shape(self.result),
            "body": self._body,
        }
        try:
            return context.eval(_BORDER)(context.parse_json(json.dumps(shape)))
        except quickjs.JSException as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> Exception:
        message = (str(error).splitlines() or [""])[0]
        if "InternalError: interrupted" in message:
            return EngineCrashed(f"the JavaScript function {self.name} did not end within {self._seconds:g} s")
        if "out of memory" in message or not message:
            return EngineCrashed(f"the JavaScript function {self.name} took more than {MEMORY_BYTES >> 20} MB")
        if LACKS in message:
            return Unsupported(f"{message[message.index(LACKS) :]}, in {self.name}", fix="run this query in BigQuery")
        return Failed(f"{message}; in the JavaScript function {self.name}")


def _refuse_foreign(field: Field, name: str) -> None:
    if field.type not in _ARGUMENT_TYPES:
        raise Unsupported(f"{LACKS}{field.type} values in JavaScript, as in {name}", fix="run this query in BigQuery")
    for part in field.fields:
        _refuse_foreign(part, name)


def _shape(field: Field) -> dict[str, Any]:
    """The type as `_BORDER` reads it."""
    plain = {"key": field.name, "name": field.type, "fields": [_shape(part) for part in field.fields]}
    return {"key": field.name, "repeated": True, "element": plain} if field.mode == "REPEATED" else plain
