"""Topic `sandbox`: how the sandbox moves the clock of the whole product. Production does not have it."""

from typing import ClassVar

from shared.contracts.envelope import Event


class ClockMoved(Event):
    """The product's clock runs ahead of the machine's by this much from now on."""

    topic: ClassVar[str] = "sandbox"
    type: ClassVar[str] = "sandbox.clock_moved.v1"
    about: ClassVar[str] = "clock"
    clock: str = "product"
    offset_seconds: int
