"""Many at once, and where that fails, half as many: what cannot be done is found in few steps and holds up no other."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def in_halves(all_of_them: Sequence[T], do: Callable[[Sequence[T]], Awaitable[bool]]) -> list[T]:
    """Those that could not be done by themselves either. `do` says whether all that it was handed are done."""
    if not all_of_them or await do(all_of_them):
        return []
    if len(all_of_them) == 1:
        return list(all_of_them)
    middle = len(all_of_them) // 2
    return [*await in_halves(all_of_them[:middle], do), *await in_halves(all_of_them[middle:], do)]
