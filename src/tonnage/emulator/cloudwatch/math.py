"""
Metric math: arithmetic over series, and CloudWatch's functions that fold an array of them.

An expression is read with Python's own parser and only the forms below are taken: ids, numbers,
``+ - * / ^``, parentheses, arrays, ``SUM AVG MIN MAX FILL ABS CEIL FLOOR`` and ``METRICS()``.
"""

import ast
import math
import operator
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tonnage.emulator.aws import AwsError

__all__ = ["Series", "evaluated"]

Series = Mapping[int, float]
"""Values by the number of their period."""

_Value = float | dict[int, float] | list[dict[int, float]]

_OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FOLDS: Final[Mapping[str, Callable[[Iterable[float]], float]]] = {
    "SUM": math.fsum,
    "AVG": statistics.fmean,
    "MIN": min,
    "MAX": max,
}
_EACH: Final[Mapping[str, Callable[[float], float]]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
}


def evaluated(
    expression: str, series: Mapping[str, Series], periods: Iterable[int] = ()
) -> dict[int, float]:
    """
    Return the series that an expression makes of others.

    A period that one of the series it needs has no value for has none in the result, and neither
    has one that would divide by zero.

    Args:
        expression: In CloudWatch's words.
        series: By id.
        periods: All periods asked for, which ``FILL`` fills.

    Raises:
        AwsError: If it is malformed, uses an unknown id or function, or makes no series.
    """
    try:
        tree = ast.parse(expression.strip().replace("^", "**"), mode="eval").body
        value = _Reader(series, tuple(periods)).value(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refused(expression, str(error)) from error
    if isinstance(value, float):
        raise _refused(expression, "it is a single number and not a time series")
    if isinstance(value, list):
        raise _refused(expression, "it is an array of time series and not one")
    return value


def _refused(expression: str, why: str) -> AwsError:
    return AwsError("ValidationException", f"Error in expression '{expression}': {why}")


class _Reader:
    def __init__(self, series: Mapping[str, Series], periods: tuple[int, ...]) -> None:
        self._series = series
        self._periods = periods

    def value(self, node: ast.expr) -> _Value:
        match node:
            case ast.Name(id=name):
                return self._named(name)
            case ast.Constant(value=bool() | str() | bytes()):
                raise ValueError("only numbers stand for themselves")
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _each(operator.neg, self.value(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _both(_OPERATORS[type(op)], self.value(left), self.value(right))
            case ast.List(elts=elements):
                return [_one(self.value(element)) for element in elements]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
            case _:
                raise ValueError("this form is not supported")

    def _named(self, name: str) -> dict[int, float]:
        if name not in self._series:
            raise ValueError(f"there is no metric with the id {name}")
        return dict(self._series[name])

    def _call(self, name: str, arguments: list[ast.expr]) -> _Value:
        if name == "METRICS" and not arguments:
            return [dict(series) for series in self._series.values()]
        given = [self.value(argument) for argument in arguments]
        match name, given:
            case "FILL", [dict() as series, float() as number]:
                return {period: series.get(period, number) for period in self._periods}
            case _, [list() as many] if name in _FOLDS and many:
                shared = set[int]().union(*many)
                return {p: _FOLDS[name](s[p] for s in many if p in s) for p in sorted(shared)}
            case _, [dict() as one] if name in _FOLDS and one:
                return _FOLDS[name](one.values())
            case _, [one] if name in _EACH:
                return _each(_EACH[name], one)
        raise ValueError(f"the function {name} is not supported here")


def _one(value: _Value) -> dict[int, float]:
    if isinstance(value, dict):
        return value
    raise ValueError("an array is made of time series")


def _each(change: Callable[[float], float], value: _Value) -> _Value:
    if isinstance(value, float):
        return float(change(value))
    if isinstance(value, list):
        raise ValueError("an array of time series must be folded first")  # noqa: TRY004 (the expression's fault)
    return {period: float(change(number)) for period, number in value.items()}


def _both(change: Callable[[float, float], float], left: _Value, right: _Value) -> _Value:
    if isinstance(left, list) or isinstance(right, list):
        raise ValueError("an array of time series must be folded first")  # noqa: TRY004 (the expression's fault)
    if isinstance(left, float) and isinstance(right, float):
        number = _computed(change, left, right)
        if number is None:
            raise ValueError("it divides by zero")
        return number
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = ((p, left[p], right[p]) for p in left if p in right)
    elif isinstance(left, dict):
        assert isinstance(right, float)
        pairs = ((p, number, right) for p, number in left.items())
    else:
        assert isinstance(right, dict)
        pairs = ((p, left, number) for p, number in right.items())
    results = ((p, _computed(change, a, b)) for p, a, b in pairs)
    return {period: number for period, number in results if number is not None}


def _computed(change: Callable[[float, float], float], left: float, right: float) -> float | None:
    try:
        number = change(left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    # A negative number to a fractional power is complex, whatever the types say: no datapoint.
    return None if isinstance(number, complex) or not math.isfinite(number) else number
