from pathlib import Path
from typing import Literal

import pytest

from deploy.local.layout import copies
from shared.runtime.launch import check
from shared.runtime.listener import LaunchError
from shared.settings import CourtSettings, Environment, RunSettings


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


COURT = {
    "COURT_CODE": "渝05",
    "COURT_NAME": "重庆市第五中级人民法院",
    "COURT_SHORT_NAME": "重庆五中院",
    "COURT_SITE_NAME": "重庆五中院执行公开",
    "COURT_POSTAL_CODE": "400060",
    "COURT_ADDRESS": "重庆市南岸区江南大道1号",
    "COURT_SUPERVISION_PHONE": "023-67670002",
    "COURT_DUTY_PHONE": "023-67670003",
    "COURT_SUPERVISION_EMAIL": "jd@cqwzy.gov.cn",
    "COURT_CASE_ACCOUNT_NAME": "重庆市第五中级人民法院",
    "COURT_CASE_ACCOUNT_BANK": "中国农业银行重庆南岸支行",
    "COURT_CASE_ACCOUNT_NUMBER": "31060101040009999",
}


def _start(site: str, court: dict[str, str]) -> None:
    run = RunSettings(environment=Environment.PRODUCTION, database_url="postgresql://x/y", site_url=site)
    given = {name.removeprefix("COURT_").lower(): value for name, value in court.items()}
    check(["staff"], run, CourtSettings.model_validate(given))


def test_a_production_starts_with_its_own_data_and_over_https() -> None:
    _start("https://zx.cqwzy.gov.cn", COURT)


@pytest.mark.parametrize("name", COURT)
def test_a_production_refuses_each_default_of_the_courts_data(name: str) -> None:
    with pytest.raises(LaunchError, match=name) as refused:
        _start("https://zx.cqwzy.gov.cn", {key: COURT[key] for key in COURT if key != name})
    assert str(refused.value).count("COURT_") == 1


def test_a_production_names_all_its_faults_at_once() -> None:
    with pytest.raises(LaunchError) as refused:
        _start("", {})
    assert all(name in str(refused.value) for name in (*COURT, "YANGGUANG_SITE_URL"))
    with pytest.raises(LaunchError) as refused:
        _start("http://zx.cqwzy.gov.cn", _court_env())
    assert all(f"COURT_{name}" in str(refused.value) for name in ("ADDRESS", "DUTY_PHONE", "CASE_ACCOUNT_NUMBER"))
    assert "https" in str(refused.value)


def _court_env() -> dict[str, str]:
    lines = (Path(__file__).parents[2] / "deploy" / "court.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line.startswith("COURT_"))


@pytest.mark.parametrize("site", ["http://a.cn", "https://", "ftp://a.cn", "a.cn", ""])
def test_a_site_that_is_not_https_sends_no_secure_cookies_and_no_strict_header(site: str) -> None:
    assert not RunSettings(site_url=site).is_https
    assert RunSettings(site_url="https://a.cn").is_https


def test_the_outside_world_is_one_process() -> None:
    assert copies("sandbox=1,party_notification=3") == {"sandbox": 1, "party_notification": 3}
    with pytest.raises(ValueError, match="sandbox"):
        copies("sandbox=2")
