"""The services, found by name through the entry points, so that running one never imports the others."""

from functools import cache
from importlib.metadata import entry_points

from shared.runtime.service import Service

GROUP = "yangguang.services"


def service_names() -> list[str]:
    """Every service that is installed."""
    return sorted(point.name for point in entry_points(group=GROUP))


@cache
def load(name: str) -> Service:
    """Import one service. Raises KeyError for an unknown name."""
    service: Service = entry_points(group=GROUP)[name].load()
    return service
