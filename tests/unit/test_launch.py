from typing import Literal

import pytest

from deploy.local.layout import copies
from shared.runtime.launch import check
from shared.runtime.listener import LaunchError
from shared.settings import Environment, RunSettings


@pytest.mark.parametrize("zone", ["public", "staff"])
def test_half_an_outside_world_does_not_start(zone: Literal["public", "staff"]) -> None:
    with pytest.raises(LaunchError, match="两个网段"):
        check(["sandbox"], RunSettings(zone=zone))
    check(["duty_desk"], RunSettings(zone=zone))


def test_a_whole_one_starts_except_in_production() -> None:
    check(["sandbox", "duty_desk"], RunSettings(zone="both"))
    with pytest.raises(LaunchError, match="生产环境"):
        check(
            ["sandbox"], RunSettings(zone="both", environment=Environment.PRODUCTION, database_url="postgresql://x/y")
        )


def test_the_outside_world_is_one_process() -> None:
    assert copies("sandbox=1,party_notification=3") == {"sandbox": 1, "party_notification": 3}
    with pytest.raises(ValueError, match="sandbox"):
        copies("sandbox=2")
