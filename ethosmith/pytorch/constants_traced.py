# SPDX-License-Identifier: Apache-2.0
"""Trace a module as a graph in which all is constant that its inputs' values do not decide.

A module that was converted from another format computes sizes and axes from tensors of its own, and
from its inputs' shapes. torch.export takes both for values that are not known. Here the module
runs with real inputs: what is called with one of them, or with what came of one, is recorded; all
else is computed once and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ethosmith.core.errors import EthosmithError

_POOLS_WITH_INDICES = re.compile(r"(max_pool[123]d)_with_indices")
# Methods that tell a tensor's values.
_TELL_VALUES = frozenset(
    {
        *("item", "tolist", "numpy", "__bool__", "__int__", "__float__", "__index__", "__iter__"),
        *("__contains__", "__array__", "is_nonzero", "equal", "allclose"),
    }
)


def traced_module(module: Any, inputs: Sequence[Any]) -> Any:
    """Return ``module`` as a torch.fx.GraphModule for inputs of the same shapes.

    Args:
        module: a torch.nn.Module in the mode in which it is to run.
        inputs: tensors.

    Raises:
        EthosmithError: it reads values of what its inputs decide, or assigns to a part of a tensor.
        Exception: what the module itself raises.
    """
    import torch  # noqa: PLC0415 takes seconds

    recorder = _Recorder()
    given = [recorder.input(one, number) for number, one in enumerate(inputs)]
    with torch.no_grad():
        made = module(*given)
    outputs = (made,) if isinstance(made, torch.Tensor) else tuple(made)
    recorder.graph.output(tuple(map(recorder.argument, outputs)))
    recorder.graph.eliminate_dead_code()
    _drop_unused_indices(recorder.graph)
    return torch.fx.GraphModule(recorder.root, recorder.graph)


def _drop_unused_indices(graph: Any) -> None:
    """Let a pool whose indices nobody reads be one without: only that has an integer form."""
    import operator  # noqa: PLC0415

    from torch.nn import functional  # noqa: PLC0415

    for node in list(graph.nodes):
        name = getattr(node.target, "__name__", "")
        pool = _POOLS_WITH_INDICES.fullmatch(name) if node.op == "call_function" else None
        first = [user for user in node.users if user.target is operator.getitem]
        if pool is None or len(first) != 1 or len(node.users) > 1 or first[0].args[1] != 0:
            continue
        keywords = {**node.kwargs, "return_indices": False}
        with graph.inserting_before(node):
            plain = graph.call_function(getattr(functional, pool[1]), node.args, keywords)
        first[0].replace_all_uses_with(plain)
        graph.erase_node(first[0])
        graph.erase_node(node)


class _Recorder:
    """A graph, and the tensors that it keeps."""

    def __init__(self) -> None:
        import torch  # noqa: PLC0415

        self.graph, self.root = torch.fx.Graph(), torch.nn.Module()
        self._kind = _recorded_kind(self.call)
        self._kept: list[Any] = []

    def input(self, value: Any, number: int) -> Any:
        """Return an input with a value, whose uses are recorded."""
        return self._recorded(value, self.graph.placeholder(f"input_{number}"))

    def argument(self, value: Any) -> Any:
        """Return what stands for ``value`` in a call of the graph."""
        import torch  # noqa: PLC0415

        return torch.fx.node.map_aggregate(value, self._in_graph)

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Carry out a call that has a recorded tensor among its arguments, and record it."""
        import torch  # noqa: PLC0415

        name = getattr(function, "__name__", "")
        if name in _TELL_VALUES:
            raise EthosmithError("what it computes depends on values of its inputs")
        if name == "__setitem__" or "out" in kwargs:
            raise EthosmithError("it assigns to a part of a tensor")
        with torch._C.DisableTorchFunctionSubclass():
            made = function(*_plain(args), **_plain(kwargs))
        if not _has_tensor(made):
            return made
        method = _method_name(function)
        if method:
            node = self.graph.call_method(method, self.argument(args), self.argument(kwargs))
        else:
            node = self.graph.call_function(function, self.argument(args), self.argument(kwargs))
        return self._results(made, node)

    def _results(self, made: Any, node: Any) -> Any:
        import torch  # noqa: PLC0415

        if isinstance(made, torch.Tensor):
            return self._recorded(made, node)
        items = [self._item(one, node, index) for index, one in enumerate(made)]
        # Of results with names, too, such as those of torch.max: each takes a sequence.
        return type(made)(items)

    def _item(self, made: Any, node: Any, index: int) -> Any:
        import operator  # noqa: PLC0415

        return self._results(made, self.graph.call_function(operator.getitem, (node, index)))

    def _recorded(self, value: Any, node: Any) -> Any:
        import torch  # noqa: PLC0415

        with torch._C.DisableTorchFunctionSubclass():
            found = _plain(value).detach().as_subclass(self._kind)
        found.node = node
        return found

    def _in_graph(self, value: Any) -> Any:
        import torch  # noqa: PLC0415

        if isinstance(value, self._kind):
            return value.node
        if not isinstance(value, torch.Tensor):
            return value
        if not value.ndim and value.dtype in (torch.int32, torch.int64):
            # A size, an index or an axis, which torch.export has to know.
            return int(value)
        # What it is now: the module may change it later.
        name = f"constant_{len(self._kept)}"
        self._kept.append(value.detach().clone())
        if value.is_floating_point():
            # torchao puts what it merges with a normalisation in the place of weights only.
            weights = torch.nn.Parameter(self._kept[-1], requires_grad=False)
            self.root.register_parameter(name, weights)
        else:
            self.root.register_buffer(name, self._kept[-1])
        return self.graph.get_attr(name)


def _method_name(function: Callable[..., Any]) -> str | None:
    """Return the name by which ``function`` is a method of tensors; None: it is not."""
    import torch  # noqa: PLC0415

    name = getattr(function, "__name__", "")
    # torch wraps those of operators, which then have the name of what they wrap.
    names = (name, f"__{name}__")
    return next((one for one in names if getattr(torch.Tensor, one, None) is function), None)


def _recorded_kind(call: Callable[..., Any]) -> Any:
    import torch  # noqa: PLC0415

    class Recorded(torch.Tensor):  # type: ignore[misc] # torch is not installed here
        """A tensor that came of an input."""

        @classmethod
        def __torch_function__(cls, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
            return call(func, args, kwargs or {})

    return Recorded


def _plain(value: Any) -> Any:
    import torch  # noqa: PLC0415

    def plain(one: Any) -> Any:
        return one.as_subclass(torch.Tensor) if isinstance(one, torch.Tensor) else one

    return torch.fx.node.map_aggregate(value, plain)


def _has_tensor(value: Any) -> bool:
    import torch  # noqa: PLC0415

    if isinstance(value, (tuple, list)):
        return any(map(_has_tensor, value))
    return isinstance(value, torch.Tensor)
