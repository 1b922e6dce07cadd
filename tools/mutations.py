"""Small changes of Python source that a good test suite notices."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
_INVERSIONS = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
_LOG_CALLS = {"debug", "info", "warning", "warning_throttled", "error", "exception"}
"""Methods whose calls stay, because few tests read the log."""

Edit = Callable[[], None]


class Mutation(NamedTuple):
    """A changed module: the line, the code before and after, and the source of the whole module."""

    line: int
    before: str
    after: str
    source: str


def mutations(source: str, lines: Collection[int] | None = None) -> Iterator[Mutation]:
    """Yield each mutation of a module, of all lines or of some, in the order of the source."""
    original = ast.unparse(ast.parse(source))
    seen = {original}
    for index, node in enumerate(_nodes(ast.parse(source))):
        if lines is not None and node.lineno not in lines:
            continue
        for variant in range(len(list(_edits(node)))):
            tree = ast.parse(source)
            changed = _nodes(tree)[index]
            before = ast.unparse(changed).partition("\n")[0]
            list(_edits(changed))[variant]()
            text = ast.unparse(tree)
            if text not in seen:
                seen.add(text)
                yield Mutation(node.lineno, before, ast.unparse(changed).partition("\n")[0], text)


def _nodes(tree: ast.Module) -> list[ast.expr | ast.stmt]:
    """Return the expressions and statements of a module, in a fixed order.

    Without annotations; without the values of named constants, which tests refer to by their names; without
    `strict` of zip() and `frozen` of dataclasses, which guard against mistakes that no test can make.
    """
    ignored: set[ast.AST] = set()
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name()], value=ast.Constant() as value):
                ignored.add(value)
            case ast.Assign(targets=[ast.Name() | ast.Tuple()], value=ast.Tuple(elts=values)):
                ignored.update(value for value in values if isinstance(value, ast.Constant))
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                ignored.update(ast.walk(statement))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("strict", "frozen"):
            ignored.add(node.value)
        for name in ("annotation", "returns"):
            annotation = getattr(node, name, None)
            ignored.update(ast.walk(annotation) if isinstance(annotation, ast.AST) else ())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.expr | ast.stmt) and node not in ignored]
    return sorted(found, key=lambda node: node.lineno)


def _edits(node: ast.AST) -> Iterator[Edit]:
    """Yield functions, each of which changes a node in place."""
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                yield lambda index=index, operator=operator: node.ops.__setitem__(  # type: ignore[misc]
                    index, _COMPARISONS[type(operator)]()
                )
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield lambda: setattr(node, "op", other)
        case ast.UnaryOp(op=ast.Not()):
            yield lambda: setattr(node, "operand", _inverted(node.operand))
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _ARITHMETIC:
            replacement = _ARITHMETIC[type(node.op)]()
            yield lambda: setattr(node, "op", replacement)
        case ast.Constant(value=bool()):
            yield lambda: setattr(node, "value", not node.value)
        case ast.Constant(value=int() | float()):
            yield lambda: setattr(node, "value", node.value + 1)  # type: ignore[operator]
        case ast.If() | ast.IfExp() | ast.While() if not _is_inversion(node.test):
            yield lambda: setattr(node, "test", _inverted(node.test))
        case ast.Return(value=ast.expr() as value) if not _is_bool_or_none(value):
            yield lambda: setattr(node, "value", ast.Constant(None))
        case ast.Expr(value=ast.Call() as call) if not _is_log_call(call):
            yield lambda: setattr(node, "value", ast.Constant(None))


def _inverted(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _is_inversion(test: ast.expr) -> bool:
    """Whether another edit already inverts a condition."""
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not)
    return isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], _INVERSIONS)


def _is_bool_or_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, bool | None)


def _is_log_call(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in _LOG_CALLS
