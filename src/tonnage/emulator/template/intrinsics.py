"""
CloudFormation's intrinsic functions, evaluated on what is known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tonnage.domain import ConfigurationError

from .reading import substitutions

__all__ = ["NO_VALUE", "Resolver", "with_parameters"]

NO_VALUE: Final = object()
"""What ``AWS::NoValue`` stands for: the property is left out."""


@dataclass(slots=True)
class Resolver:
    """
    Knows parameters and the resources made so far.

    Attributes:
        values: What ``Ref`` gives, by name.
        attributes: What ``Fn::GetAtt`` gives, by logical id.
        mappings: The template's.
        conditions: The template's, not yet evaluated.
    """

    values: dict[str, Any]
    attributes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def resolved(self, value: object) -> Any:  # noqa: ANN401 (whatever a template holds)
        """
        Return a value with its functions evaluated.

        Raises:
            ConfigurationError: If a function is not known, or what it refers to is not.
        """
        if isinstance(value, list):
            return [item for one in value if (item := self.resolved(one)) is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, argument)
            if name.startswith("Fn::"):
                raise ConfigurationError(
                    f"the template's function {name} is not known here",
                    hint=f"known are {', '.join(_FUNCTIONS)}",
                )
        items = ((key, self.resolved(item)) for key, item in value.items())
        return {key: item for key, item in items if item is not NO_VALUE}

    def holds(self, condition: str) -> bool:
        """Say whether one of the template's conditions holds."""
        if condition not in self.conditions:
            raise ConfigurationError(f"the template has no condition {condition}")
        return bool(self.resolved(self.conditions[condition]))

    def ref(self, name: str) -> Any:  # noqa: ANN401 (whatever it refers to)
        """Return what ``Ref`` gives."""
        if name not in self.values:
            raise ConfigurationError(f"the template refers to {name}, which it does not have")
        return self.values[name]

    def attribute(self, argument: object) -> Any:  # noqa: ANN401 (likewise)
        """Return what ``Fn::GetAtt`` gives."""
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        logical_id, name = str(parts[0]), str(self.resolved(parts[1]))
        known = self.attributes.get(logical_id, {})
        if name not in known:
            raise ConfigurationError(
                f"the template asks for {logical_id}.{name}, which is not known here"
            )
        return known[name]

    def substituted(self, argument: object) -> str:
        """Return what ``Fn::Sub`` gives."""
        text, given = argument if isinstance(argument, list) else (argument, {})
        local = {name: self.resolved(value) for name, value in given.items()}
        parts, end = [], 0
        for match in substitutions(str(text)):
            name = match[1].strip()
            parts.append(str(text)[end : match.start()])
            end = match.end()
            if name in local:
                parts.append(str(local[name]))
            else:
                parts.append(str(self.attribute(name) if "." in name else self.ref(name)))
        return ("".join(parts) + str(text)[end:]).replace("${!", "${")


def with_parameters(
    template: Mapping[str, Any], given: Mapping[str, str], pseudo: Mapping[str, Any]
) -> Resolver:
    """
    Return a resolver that knows a template's parameters.

    Raises:
        ConfigurationError: If a parameter has no value, or there is none of a given name.
    """
    declared = template.get("Parameters", {})
    unknown = given.keys() - declared.keys()
    if unknown:
        raise ConfigurationError(f"the template has no parameter {min(unknown)}")
    values: dict[str, Any] = {**pseudo, "AWS::NoValue": NO_VALUE}
    for name, parameter in declared.items():
        if name not in given and "Default" not in parameter:
            raise ConfigurationError(f"the template's parameter {name} has no value and no default")
        value = given.get(name, parameter.get("Default"))
        is_list = parameter.get("Type", "").startswith(("List<", "CommaDelimitedList"))
        values[name] = str(value).split(",") if is_list else value
    return Resolver(
        values=values,
        mappings=template.get("Mappings", {}),
        conditions=template.get("Conditions", {}),
    )


def _join(resolver: Resolver, argument: Any) -> str:  # noqa: ANN401 (a template's)
    separator, parts = argument
    return str(separator).join(str(part) for part in resolver.resolved(parts))


def _select(resolver: Resolver, argument: Any) -> object:  # noqa: ANN401 (likewise)
    index, items = (resolver.resolved(part) for part in argument)
    chosen: object = items[int(index)]
    return chosen


def _split(resolver: Resolver, argument: Any) -> list[str]:  # noqa: ANN401 (likewise)
    separator, text = argument
    return str(resolver.resolved(text)).split(separator)


def _find_in_map(resolver: Resolver, argument: Any) -> object:  # noqa: ANN401 (likewise)
    name, first, second = (resolver.resolved(part) for part in argument)
    found: object = resolver.mappings[name][first][second]
    return found


def _if(resolver: Resolver, argument: Any) -> object:  # noqa: ANN401 (likewise)
    condition, then, otherwise = argument
    chosen: object = resolver.resolved(then if resolver.holds(condition) else otherwise)
    return chosen


def _equals(resolver: Resolver, argument: Any) -> bool:  # noqa: ANN401 (likewise)
    one, other = (resolver.resolved(part) for part in argument)
    return str(one) == str(other)


def _guarded(
    function: Callable[[Resolver, Any], object],
) -> Callable[[Resolver, Any], object]:
    def checked(resolver: Resolver, argument: Any) -> object:  # noqa: ANN401 (likewise)
        try:
            return function(resolver, argument)
        except (TypeError, ValueError, LookupError) as error:
            raise ConfigurationError(
                f"a function of the template cannot be evaluated on {argument!r}: {error}"
            ) from error

    return checked


_FUNCTIONS: Final[Mapping[str, Callable[[Resolver, Any], Any]]] = {
    "Ref": lambda resolver, name: resolver.ref(str(name)),
    "Condition": lambda resolver, name: resolver.holds(str(name)),
    "Fn::GetAtt": _guarded(Resolver.attribute),
    "Fn::Sub": _guarded(Resolver.substituted),
    "Fn::Join": _guarded(_join),
    "Fn::Select": _guarded(_select),
    "Fn::Split": _guarded(_split),
    "Fn::FindInMap": _guarded(_find_in_map),
    "Fn::If": _guarded(_if),
    "Fn::Equals": _guarded(_equals),
    "Fn::And": _guarded(lambda resolver, all_: all(map(resolver.resolved, all_))),
    "Fn::Or": _guarded(lambda resolver, any_: any(map(resolver.resolved, any_))),
    "Fn::Not": _guarded(lambda resolver, one: not resolver.resolved(one[0])),
}
