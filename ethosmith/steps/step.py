# SPDX-License-Identifier: Apache-2.0
"""What a build step is: one typed, frozen class from which everything else follows.

A step declares its inputs, outputs and options as fields, the packages that it computes with,
and a verb for the terminal, and does its work in `run`. From these follow the node of the
graph, the command line (`ethosmith step NAME`), the key in the build cache, the entries of
manifest and report, and docs/steps.md. Importing a step is cheap: what `run` needs, it imports.

    @step(verb="LABELS")
    class GenerateLabels(Step):
        labels: tuple[str, ...]
        output: Output

        def run(self) -> None: ...
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, dataclass_transform

StepT = TypeVar("StepT", bound="Step")
ValueT = TypeVar("ValueT")

# The package of our own steps; each module in it holds one.
OWN_PACKAGE = "ethosmith.steps"
# The fork server of the build's own environment; others go by the names of theirs.
TENSORFLOW = "tensorflow"
_INPUT, _OUTPUT, _UNSIGNED = "input", "output", "unsigned"

# A file that the step reads.
Input = Annotated[Path, _INPUT]
OptionalInput = Annotated[Path | None, _INPUT]
Inputs = Annotated[tuple[Path, ...], _INPUT]
# A file that it writes, whole or not at all.
Output = Annotated[Path, _OUTPUT]
OptionalOutput = Annotated[Path | None, _OUTPUT]
Outputs = Annotated[tuple[Path, ...], _OUTPUT]


# An option that cannot change an output, such as a time limit: `Unsigned[float]`.
Unsigned = Annotated[ValueT, _UNSIGNED]


class Traits(NamedTuple):
    """What a step class declares beside its fields.

    Attributes:
        verb: what the terminal shows while it runs, in capitals.
        packages: the Python distributions that its output depends on, directly.
        cacheable: its outputs may come from the build cache; not those of a step that is there
            for what it does or shows.
        owns_terminal: it shows its own progress.
        isolated: a library that it calls may end the process; it then runs in a child.
        environment: the locked environment that it runs in, always in a child; empty: that of the
            build. Its packages are those of that environment's lock.
        resumable: what it made is noted at once, so a build that was killed does not repeat it;
            for one of many steps of a long run whose outputs are not in the build cache.
        distributable: heavy, and a function of its inputs and options alone: it may run on a
            worker.
    """

    verb: str
    packages: tuple[str, ...] = ()
    cacheable: bool = True
    owns_terminal: bool = False
    isolated: bool = False
    environment: str = ""
    resumable: bool = False
    distributable: bool = False


class Field(NamedTuple):
    """One field of a step class.

    Attributes:
        name: as in Python.
        kind: ``input``, ``output``, ``option`` or ``unsigned``.
        type: without its mark.
        required: whether it has no default.
        default: its default, if it has one.
    """

    name: str
    kind: str
    type: Any
    required: bool
    default: Any


class Step:
    """The base of all steps; see the module.

    It does for its subclasses what a frozen dataclass with keywords only does, without code that
    is made anew for each class: a build knows all steps, and uses some.
    """

    traits: ClassVar[Traits]

    def __init__(self, **values: Any) -> None:
        own = self.__dict__
        for one in fields_of(type(self)):
            if one.name in values:
                own[one.name] = values.pop(one.name)
            elif one.required:
                raise TypeError(f"{type(self).__name__} needs {one.name}=")
            else:
                own[one.name] = one.default
        if values:
            raise TypeError(f"{type(self).__name__} has no {next(iter(values))}=")

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"

    def replaced(self: StepT, **changes: Any) -> StepT:
        """Return the same step with other values of some fields; TypeError if it has none such."""
        return type(self)(**{**self.__dict__, **changes})

    def run(self) -> None:
        """Do the work: read the inputs, write the outputs.

        Raises:
            EthosmithError: an error that the user can fix.
        """
        raise NotImplementedError

    def staying(self) -> bool:
        """Say whether a `distributable` step has to run on the machine of the build."""
        return False

    def rounds(self) -> bool:
        """Say whether the processor's floating point decides about the outputs' bytes.

        A `distributable` step that does runs on workers with the same processor only.
        """
        return False

    def lacking(self) -> str:
        """Return what this machine lacks for a `distributable` step, packages aside; or nothing."""
        return ""

    def crashed(self, signal: str) -> str:
        """Return what the user can do when an `isolated` step ended by ``signal``."""
        return f"{self.name()} ended by {signal}"

    @classmethod
    def name(cls) -> str:
        """Return the step's name on the command line: ``compile-with-vela``.

        A step of another package goes by its module, such as ``my_package.my_step``.
        """
        package, _, module = cls.__module__.rpartition(".")
        return module.replace("_", "-") if package == OWN_PACKAGE else cls.__module__

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions it computes with: its class's, unless a field rules some out."""
        return self.traits.packages

    @property
    def server(self) -> str:
        """The fork server that has imported what it needs: its environment's; empty: none."""
        return self.traits.environment

    @property
    def title(self) -> str:
        """What the terminal shows behind the verb: the first output, unless a step overrides it."""
        return self.outputs[0].as_posix() if self.outputs else self.name()

    @property
    def label(self) -> str:
        """The step's line on the terminal."""
        return f"{self.traits.verb:<10}{self.title}"

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that the step reads, in the order of its fields."""
        return self._paths(_INPUT)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Every file that the step writes, in the order of its fields."""
        return self._paths(_OUTPUT)

    def _paths(self, kind: str) -> tuple[Path, ...]:
        found: list[Path] = []
        for one in fields_of(type(self)):
            value = getattr(self, one.name) if one.kind == kind else None
            if isinstance(value, tuple):
                found += value
            elif value is not None:
                found.append(value)
        return tuple(found)

    def spec(self, *, signed_only: bool = False) -> dict[str, Any]:
        """Return the step as plain data for JSON, by the names of its fields.

        Args:
            signed_only: leave out what cannot change an output.
        """
        return {
            one.name: _plain(getattr(self, one.name))
            for one in fields_of(type(self))
            if not (signed_only and one.kind == _UNSIGNED)
        }

    @classmethod
    def of_spec(cls: type[StepT], spec: Mapping[str, Any]) -> StepT:
        """Return the step of what `spec` returned.

        Raises:
            ValueError: a name is missing, unknown, or its value has another type.
        """
        known = {one.name: one for one in fields_of(cls)}
        for name in spec:
            if name not in known:
                raise ValueError(f"{cls.name()} has no '{name}' (it has {', '.join(known)})")
        for one in known.values():
            if one.required and one.name not in spec:
                raise ValueError(f"{cls.name()} needs '{one.name}'")
        return cls(**{name: _value(name, spec[name], known[name].type) for name in spec})


@dataclass_transform(kw_only_default=True, frozen_default=True)
def step(
    *,
    verb: str,
    packages: tuple[str, ...] = (),
    cacheable: bool = True,
    owns_terminal: bool = False,
    isolated: bool = False,
    environment: str = "",
    resumable: bool = False,
    distributable: bool = False,
) -> Callable[[type[StepT]], type[StepT]]:
    """Make a step of a subclass of `Step`; the arguments are those of `Traits`."""

    def decorate(cls: type[StepT]) -> type[StepT]:
        cls.traits = Traits(
            verb,
            packages,
            cacheable,
            owns_terminal,
            isolated,
            environment,
            resumable,
            distributable,
        )
        return cls

    return decorate


def fields_of(cls: type[Step]) -> tuple[Field, ...]:
    """Return the fields of a step class in their order."""
    found: tuple[Field, ...] = _fields_of(cls)  # type: ignore[arg-type] # a class is hashable
    return found


@cache
def _fields_of(cls: Any) -> tuple[Field, ...]:
    found = []
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        if typing.get_origin(hint) is ClassVar:
            continue
        kind, type_ = "option", hint
        if typing.get_origin(hint) is Annotated:
            type_, kind = typing.get_args(hint)
        found.append(Field(name, kind, type_, not hasattr(cls, name), getattr(cls, name, None)))
    return tuple(found)


def attribute_helps(cls: type[Step]) -> dict[str, str]:
    """Return the descriptions in the ``Attributes:`` of a class's docstring, each on one line."""
    _, _, section = (cls.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        begins = re.match(r" {8}(\w+): (.*)", line)
        if begins:
            name = begins[1]
            found[name] = begins[2].strip()
        elif name and line.startswith(" " * 12):
            found[name] += f" {line.strip()}"
        elif line.strip():
            break
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return value


def _value(name: str, plain: Any, type_: Any) -> Any:
    """Return ``plain`` as ``type_`` says; ValueError if it is of another type."""
    origin, inner = typing.get_origin(type_), typing.get_args(type_)
    if origin in {types.UnionType, typing.Union}:
        if plain is None and type(None) in inner:
            return None
        return _value(name, plain, next(one for one in inner if one is not type(None)))
    if origin is tuple and isinstance(plain, list | tuple):
        types_ = [inner[0]] * len(plain) if inner[-1] is Ellipsis else list(inner)
        if len(types_) == len(plain):
            return tuple(_value(name, one, t) for one, t in zip(plain, types_, strict=True))
    elif origin is not None and isinstance(plain, Mapping):
        return {key: _value(name, one, inner[1]) for key, one in plain.items()}
    elif _is_scalar_of(plain, type_):
        return plain if type_ is Any else type_(plain)
    raise ValueError(f"'{name}' is {json.dumps(plain, default=str)[:80]}, expected {_shown(type_)}")


def _shown(type_: Any) -> str:
    return str(type_) if typing.get_origin(type_) else getattr(type_, "__name__", str(type_))


def _is_scalar_of(plain: Any, type_: Any) -> bool:
    if type_ is float:
        return isinstance(plain, int | float) and not isinstance(plain, bool)
    return type_ is Any or type(plain) is type_ or (type_ is Path and isinstance(plain, str | Path))
