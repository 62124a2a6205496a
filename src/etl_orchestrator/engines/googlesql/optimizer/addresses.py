"""Where addresses in the frame of a function go: followed through its instructions, each looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from etl_orchestrator.engines.googlesql.optimizer import code
from etl_orchestrator.engines.googlesql.optimizer.code import MEANINGS, Function, targets

_NOWHERE: frozenset[int] = frozenset()
#: What can bring an address to the top of the stack, and what takes a value away above it.
_SOURCES = frozenset((code.I32_ADD, code.I32_SUB, code.LOCAL_GET, code.LOCAL_TEE, code.LOCAL_SET, code.SP_GET))
_MAYBE = (-1, 0, (), -1)  # a variable that holds an address on some ways only

#: An address in a frame: the frame (where its stack pointer was read), the offset from there, the tokens that only make
#: this value, and the `local.tee` that also keeps it (or -1).
Address = tuple[int, int, tuple[int, ...], int]
_Variables = dict[int, Address]


@dataclass(slots=True)
class _Label:
    kind: int
    height: int
    arity: int
    variables: _Variables | None = None  # at the branches to its end
    otherwise: _Variables | None = None  # where the `else` of an `if` begins


@dataclass(slots=True)
class Frame:
    """What a function does with one frame."""

    accesses: list[tuple[int, int, int, Address]] = field(default_factory=list)  # token, instruction, slot, address
    escapes: set[int] = field(default_factory=set)
    of_parameters: frozenset[int] = frozenset()
    tokens: list[int] = field(default_factory=list)  # that make and keep its addresses, and set the stack pointer
    variables: set[int] = field(default_factory=set)
    is_opaque: bool = False

    def owns(self, slot: int, width: int) -> bool:
        """No pointer may reach the slot. Two parameters of 8 bytes may be halves of one object of 16."""
        if slot >= 0:  # above where the frame ends
            return False
        if not self.escapes:
            return True
        return slot in self.of_parameters and slot not in self.escapes and (width < 8 or slot - 8 not in self.escapes)


class Reading:
    """What a function does with its frames."""

    def __init__(
        self,
        function: Function,
        slots: frozenset[int],
        calls: Sequence[tuple[int, int]],
        types: Sequence[tuple[int, int]],
    ) -> None:
        self._function = function
        self._slots = slots
        self._calls = calls
        self._types = types
        self.frames: dict[int, Frame] = {}
        self.dead: list[int] = []
        self.ends_nowhere: list[int] = []  # an `end` after which validation asks for values that no way brings
        self.stale: set[int] = set()  # variables read where they hold an address on some ways only
        self.keeps_pointer = False  # sets the stack pointer to something that is not followed
        self._stack: list[Address | None] = []
        self._variables: _Variables = {}
        self._uses: list[tuple[int, int, int]] = []
        self._labels = [_Label(code.BLOCK, 0, len(function.results))]
        self._candidates: set[int] | None = None  # None: any
        self._assigned: dict[int, set[int]] = {}

    def read(self) -> None:
        tokens, stack = self._function.tokens, self._stack
        self._uses = uses = list(map(MEANINGS.__getitem__, tokens))
        if any(kind == code.LOOP for kind, _, _ in uses):
            self._look_ahead()
        depth = 0  # of blocks in code that is never reached
        dead = False
        for index, (kind, a, b) in enumerate(uses):
            if dead:
                if code.BLOCK <= kind <= code.IF:
                    depth += 1
                elif kind == code.END and depth:
                    depth -= 1
                elif not depth and kind in (code.END, code.ELSE):
                    dead = not self._closes(kind, index, alive=False)
                    continue
                self.dead.append(index)
            elif kind == code.LOCAL_GET:
                stack.append(self._got(a, index) if a in self._variables else None)
            elif kind == code.PLAIN:
                if a:
                    self._takes(a)
                if b:
                    stack.append(None)
            elif kind == code.I32_CONST:
                stack.append(None)
            elif kind == code.LOCAL_SET or kind == code.LOCAL_TEE:
                self._keeps(kind, a, index)
            elif kind == code.LOAD:
                address = stack[-1]
                if address:
                    stack[-1] = None
                    self.frames[address[0]].accesses.append((index, a, address[1] + b, address))
            elif kind == code.STORE:
                self._stores(index, a, b)
            elif kind == code.I32_ADD or kind == code.I32_SUB:
                self._adds(kind, index)
            elif kind == code.CALL:
                self._calls_with(self._calls[a])
            elif kind == code.CALL_INDIRECT:
                self._calls_with(self._types[a])
            elif kind == code.SP_GET:
                self.frames[index] = Frame(tokens=[index], of_parameters=_NOWHERE if index else self._slots)
                stack.append((index, 0, (index,), -1))
            elif kind == code.SP_SET:
                self._sets_pointer(index)
            else:
                dead = self._controls(kind, a, index)

    def _look_ahead(self) -> None:
        """Which variables may come to hold addresses, and which of them each loop assigns."""
        self._candidates = set()
        blocks: list[tuple[int, set[int]]] = [(-1, set())]  # the loop, or -1, and what is assigned in it
        last = -1
        for index, (kind, a, _) in enumerate(self._uses):
            if kind == code.LOCAL_SET or kind == code.LOCAL_TEE:
                if last in _SOURCES:
                    blocks[-1][1].add(a)
            elif code.BLOCK <= kind <= code.IF:
                blocks.append((index if kind == code.LOOP else -1, set()))
            elif kind == code.END and len(blocks) > 1:
                loop, assigned = blocks.pop()
                blocks[-1][1].update(assigned)
                if loop >= 0:
                    self._assigned[loop] = assigned
            last = kind
        self._candidates = blocks[0][1]

    def _takes(self, count: int) -> None:
        """Values that something takes that is not followed: addresses among them escape."""
        self._leaves(count)
        del self._stack[-count:]

    def _got(self, variable: int, index: int) -> Address | None:
        address = self._variables[variable]
        if address is _MAYBE:
            self.stale.add(variable)
            return None
        self.frames[address[0]].tokens.append(index)
        return address[0], address[1], (index,), -1

    def _keeps(self, kind: int, variable: int, index: int) -> None:
        address = self._stack.pop()
        if not address:
            if variable in self._variables:
                del self._variables[variable]
            if kind == code.LOCAL_TEE:
                self._stack.append(None)
            return
        frame = self.frames[address[0]]
        frame.tokens.append(index)
        frame.variables.add(variable)
        if self._candidates is not None and variable not in self._candidates:
            frame.is_opaque = True
        self._variables[variable] = (address[0], address[1], (), -1)
        if kind == code.LOCAL_TEE:
            self._stack.append((address[0], address[1], (), index))

    def _stores(self, index: int, instruction: int, offset: int) -> None:
        value, address = self._stack.pop(), self._stack.pop()
        if value:
            self.frames[value[0]].escapes.add(value[1])
        if address:
            self.frames[address[0]].accesses.append((index, instruction, address[1] + offset, address))

    def _adds(self, kind: int, index: int) -> None:
        by, address = self._stack.pop(), self._stack.pop()
        if not address and not by:
            self._stack.append(None)
            return
        before, number, _ = self._uses[index - 1]
        if address and before == code.I32_CONST:
            offset = address[1] + number if kind == code.I32_ADD else address[1] - number
            self.frames[address[0]].tokens += (index - 1, index)
            self._stack.append((address[0], offset, (*address[2], index - 1, index), address[3]))
            return
        for other in (by, address):
            if other:
                self.frames[other[0]].escapes.add(other[1])
        self._stack.append(None)

    def _calls_with(self, signature: tuple[int, int]) -> None:
        if signature[0]:
            self._takes(signature[0])
        self._stack.extend([None] * signature[1])

    def _sets_pointer(self, index: int) -> None:
        address = self._stack.pop()
        if not address or address[1] > 0:
            self.keeps_pointer = True
        else:
            self.frames[address[0]].tokens.append(index)

    def _controls(self, kind: int, a: int, index: int) -> bool:
        """Whether what follows is never reached."""
        if kind == code.BLOCK or kind == code.LOOP or kind == code.IF:
            if kind == code.IF:
                self._takes(1)
            label = _Label(kind, len(self._stack), a)
            if kind == code.LOOP:
                for variable in self._assigned[index]:
                    self._variables[variable] = _MAYBE
            elif kind == code.IF:
                label.otherwise = dict(self._variables)
            self._labels.append(label)
            return False
        if kind == code.END or kind == code.ELSE:
            return not self._closes(kind, index, alive=True)
        if kind == code.BR_IF or kind == code.BR_TABLE:
            self._takes(1)
        if kind == code.BR or kind == code.BR_IF:
            self._branches(a)
        elif kind == code.BR_TABLE:
            for target in targets(self._function.tokens[index]):
                self._branches(target)
        elif kind == code.RETURN:
            self._branches(len(self._labels) - 1)
        return kind != code.BR_IF

    def _branches(self, target: int) -> None:
        label = self._labels[-1 - target]
        if label.kind == code.LOOP:
            return
        if label.arity:
            self._leaves(label.arity)
        label.variables = _merged(label.variables, self._variables)

    def _leaves(self, count: int) -> None:
        """Values that a branch or a call hands on: addresses among them escape."""
        for address in self._stack[-count:]:
            if address:
                self.frames[address[0]].escapes.add(address[1])

    def _closes(self, kind: int, index: int, alive: bool) -> bool:
        """At an `end` or `else`; whether what follows is reached."""
        label = self._labels[-1]
        if alive:
            if label.arity:
                self._leaves(label.arity)
            label.variables = _merged(label.variables, self._variables)
        del self._stack[label.height :]
        if kind == code.ELSE:
            assert label.otherwise is not None
            self._variables, label.otherwise = label.otherwise, None
            return True
        self._labels.pop()
        if label.otherwise is not None:  # an `if` without `else`
            label.variables = _merged(label.variables, label.otherwise)
        self._stack.extend([None] * label.arity)
        if label.variables is None:
            if self._labels:
                self.ends_nowhere.append(index)
            return False
        self._variables = label.variables
        return True


def _merged(one: _Variables | None, other: _Variables) -> _Variables:
    if one is None:
        return dict(other)
    if one == other:
        return one
    both = {**one, **other}
    return {
        variable: address if one.get(variable) == other.get(variable) else _MAYBE for variable, address in both.items()
    }
