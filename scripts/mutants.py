"""Mutants of a Python file: one change each, of an operator, a number, a comparison, a call or a statement."""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
ARITHMETIC |= {ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.MatMult: ast.Mult}
COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
COMPARISONS |= {ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
CALLS = {"min": "max", "max": "min", "mean": "sum", "sum": "mean", "zeros_like": "ones_like", "ones_like": "zeros_like"}
CALLS |= {"floor": "ceil", "ceil": "floor", "zeros": "ones", "ones": "zeros", "rsqrt": "sqrt", "sqrt": "square"}
CALLS |= {"softplus": "relu", "relu": "abs", "rand": "randn", "randn": "rand", "any": "all", "all": "any"}
LEFT_OUT = set("detach clamp square abs sign flip roll nan_to_num sorted amin amax transpose reshape_as".split())
"""methods of one tensor that a mutant leaves out: `x.detach()` becomes `x`"""
UNSEEN = (ast.JoinedStr, ast.Raise, ast.Assert, ast.Import, ast.ImportFrom)
"""what no test should need to notice word by word"""


BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    line: int
    span: tuple[int, int]
    """where the changed code begins and ends in the file, bytes"""
    was: str
    now: str
    text: bytes
    """the file as it is"""
    at_import: bool
    """whether it runs when the file is imported: a default, a constant"""
    lines: range
    """those of its statement"""

    @cached_property
    def source(self) -> str:
        """The file with the change."""
        start, end = self.span
        return (self.text[:start] + self.now.encode() + self.text[end:]).decode()

    @cached_property
    def key(self) -> str:
        """Its name, which changes with its file."""
        return hashlib.sha256(f"{self.file}{self.span}{self.now}".encode() + self.text).hexdigest()[:16]


def mutants_of(file: Path, root: Path) -> list[Mutant]:
    """All mutants of a file, whose name is told from `root`."""
    text = file.read_bytes()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    name, found = str(file.relative_to(root)), []
    tree = ast.parse(text)
    called = {id(node) for function in ast.walk(tree) if isinstance(function, BODIES) for node in in_body(function)}
    lines = {id(node): own for statement in ast.walk(tree) for node, own in lines_of(statement)}
    for node, now in changes(tree):
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        was = text[start:end].decode()
        if "\n" not in now and now != was:
            at_import = id(node) not in called
            found.append(Mutant(name, node.lineno, (start, end), short(was), now, text, at_import, lines[id(node)]))
    return found


def short(code: str) -> str:
    """Code in one line."""
    return " ".join(code.split())


def in_body(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[ast.AST]:
    """All nodes that run when a function is called."""
    for statement in function.body if isinstance(function.body, list) else [function.body]:
        yield from ast.walk(statement)


def lines_of(statement: ast.AST) -> Iterator[tuple[ast.AST, range]]:
    """The nodes of a statement but those of statements inside, each with the lines of the statement's code."""
    if isinstance(statement, ast.stmt):
        body = getattr(statement, "body", None)
        own = range(statement.lineno, max(body[0].lineno, statement.lineno + 1) if body else statement.end_lineno + 1)
        yield statement, own
        for child in ast.iter_child_nodes(statement):
            if not isinstance(child, ast.stmt):
                yield from ((node, own) for node in ast.walk(child))


def changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Each node below this one with a text that may take its place; annotations, messages and docstrings are left."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, UNSEEN) and not is_text(child):
                yield from changed(child)
                yield from changes(child)


def is_text(node: ast.AST) -> bool:
    """Whether it is a string that stands alone, or an import that only a type checker runs."""
    alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    typed = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return alone or typed


def changed(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """The node with each text that may take its place."""
    match node:
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            yield node, parenthesized(replaced(node, op=ARITHMETIC[type(op)]()))
        case ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield node, ast.unparse(replaced(node, op=ARITHMETIC[type(op)]()))
        case ast.Compare(ops=[op, *rest]) if type(op) in COMPARISONS:
            yield node, parenthesized(replaced(node, ops=[COMPARISONS[type(op)](), *rest]))
        case ast.BoolOp(op=op):
            yield node, parenthesized(replaced(node, op=ast.Or() if isinstance(op, ast.And) else ast.And()))
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield node, parenthesized(operand)
        case ast.Constant(value=bool() | int() | float() as value):
            yield (
                node,
                str(
                    not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else 2 * value or 1.0
                ),
            )
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in LEFT_OUT:
            yield node, parenthesized(value)
        case ast.Attribute(attr=attr) if attr in CALLS:
            yield node, ast.unparse(replaced(node, attr=CALLS[attr]))
        case ast.Name(id=name, ctx=ast.Load()) if name in CALLS:
            yield node, CALLS[name]
        case ast.IfExp(body=body, orelse=orelse):
            yield node, parenthesized(replaced(node, body=orelse, orelse=body))
        case ast.Expr(value=ast.Call()):
            yield node, "pass"


def replaced(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of the node with other fields."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def parenthesized(node: ast.AST) -> str:
    """The expression as text that can stand anywhere."""
    return f"({ast.unparse(node)})"
