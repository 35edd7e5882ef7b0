"""Every topic of the product and its number of partitions. Production leaves the sandbox's out."""

from shared.settings import Environment

TOPICS: dict[str, int] = {
    "cases": 4,
    "stages": 4,
    "notices": 4,
    "tips": 4,
    "desk": 4,
    "staff": 1,
    "looks": 1,
    "operations": 1,
    "sandbox": 1,
}


def topics_of(environment: Environment) -> dict[str, int]:
    """The topics that exist in `environment`, with their partitions."""
    return {name: n for name, n in TOPICS.items() if name != "sandbox" or environment is not Environment.PRODUCTION}
