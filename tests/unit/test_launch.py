from pathlib import Path
from typing import Literal

import pytest

from deploy.local.layout import copies, roles
from deploy.local.log import log_settings, told_of_log
from shared.bus.kafka import Login
from shared.runtime.launch import check
from shared.runtime.listener import LaunchError
from shared.runtime.logs import login_of
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
    "COURT_HOTLINE": "12368",
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


@pytest.mark.parametrize("name", COURT)
@pytest.mark.parametrize("blank", ["", " ", "\u3000"])
def test_a_production_refuses_court_data_that_is_blank(name: str, blank: str) -> None:
    with pytest.raises(LaunchError, match=f"{name}：.*尚未填写"):
        _start("https://zx.cqwzy.gov.cn", COURT | {name: blank})


@pytest.mark.parametrize(
    "site",
    [
        "https://zhixing.court.example",
        "https://zx.cqwzy.test",
        "https://zx.cqwzy.invalid:8443/",
        "https://www.example.com",
        "https://localhost",
        "https://yg.localhost",
        "https://127.0.0.1:8000",
        "https://[::1]",
        "https://0.0.0.0",
        "https://gateway",
        "https://zx.cqwzy.TEST.",
    ],
)
def test_a_production_refuses_a_site_that_no_party_reaches(site: str) -> None:
    with pytest.raises(LaunchError, match="YANGGUANG_SITE_URL：是示例网址或者本机地址"):
        _start(site, COURT)


def test_a_production_refuses_an_example_as_the_courts_mailbox() -> None:
    with pytest.raises(LaunchError, match=r"COURT_SUPERVISION_EMAIL：.*演示"):
        _start("https://zx.cqwzy.gov.cn", COURT | {"COURT_SUPERVISION_EMAIL": "jd@cqwzy.test"})


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


REAL = {"environment": Environment.PRODUCTION, "database_url": "postgresql://x/y", "site_url": "https://a.cn"}


@pytest.mark.parametrize("given", [{}, {"kafka_user": "{service}"}, {"kafka_password": "@/none"}])
def test_a_production_does_not_enter_kafka_without_user_and_password(given: dict[str, str]) -> None:
    court = CourtSettings.model_validate({name.removeprefix("COURT_").lower(): each for name, each in COURT.items()})
    run = RunSettings.model_validate({**REAL, "log": "kafka", **given})
    with pytest.raises(LaunchError, match="YANGGUANG_KAFKA_USER、YANGGUANG_KAFKA_PASSWORD：须填写"):
        check(["staff"], run, court)
    check(["asset_tips"], run.model_copy(update={"zone": "public"}), court)  # it has no log
    check(["staff"], run.model_copy(update={"log": "postgres"}), court)
    check(["staff"], run.model_copy(update={"kafka_user": "{service}", "kafka_password": "x"}), court)


def test_over_kafka_each_service_is_a_user_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "kafka_staff").write_text("a password\n")
    run = RunSettings(log="kafka", kafka_user="{service}", kafka_password=f"@{tmp_path}/kafka_{{service}}")
    assert login_of(run, "staff") == Login("staff", "a password")
    with pytest.raises(LaunchError, match="kafka_duty_desk"):
        login_of(run, "duty_desk")
    assert login_of(run.model_copy(update={"kafka_user": ""}), "duty_desk") == Login()
    assert login_of(run.model_copy(update={"log": "postgres"}), "duty_desk") == Login()


def test_what_goes_to_kafka_can_be_encrypted(tmp_path: Path) -> None:
    options = login_of(RunSettings(log="kafka", kafka_tls=True, kafka_user="a", kafka_password="b"), "staff").options
    assert options["security_protocol"] == "SASL_SSL"
    assert options["ssl_context"].check_hostname
    (tmp_path / "empty").touch()
    for ca in ("none", "empty"):
        with pytest.raises(LaunchError, match="YANGGUANG_KAFKA_CA"):
            login_of(RunSettings(log="kafka", kafka_tls=True, kafka_ca=f"{tmp_path}/{ca}"), "staff")
    assert Login("a", "b").options["security_protocol"] == "SASL_PLAINTEXT"
    assert Login().options["security_protocol"] == "PLAINTEXT"


@pytest.mark.parametrize("name", sorted({role.name for role in roles()}))
def test_on_one_machine_each_process_is_told_of_its_own_user_and_a_public_one_of_none(
    name: str, tmp_path: Path
) -> None:
    (role,) = (each for each in roles() if each.name == name)
    names = {each.service.name for each in roles()}
    run = log_settings(RunSettings(data=tmp_path), "127.0.0.1:9", names, own=True)
    env = {"YANGGUANG_KAFKA_ADMIN_PASSWORD": "x", "YANGGUANG_KAFKA_USER": "admin", "YANGGUANG_LOG": "x", "PATH": "/bin"}
    told = told_of_log(run, role, env)
    assert "YANGGUANG_KAFKA_ADMIN_PASSWORD" not in told
    if role.zone == "public":
        assert told == {"PATH": "/bin"}
        return
    assert told["YANGGUANG_KAFKA_USER"] == role.service.name
    path = Path(told["YANGGUANG_KAFKA_PASSWORD"].removeprefix("@"))
    assert path.read_text() != run.kafka_admin_password
    assert path.stat().st_mode & 0o077 == 0
    settings = {key.removeprefix("YANGGUANG_").lower(): text for key, text in told.items() if key != "PATH"}
    assert login_of(RunSettings.model_validate(settings), role.service.name).password == path.read_text()


def test_a_kafka_of_others_without_passwords_is_entered_without_one(tmp_path: Path) -> None:
    run = log_settings(RunSettings(data=tmp_path), "127.0.0.1:9", ["staff"], own=False)
    assert login_of(run, "staff") == Login()
    assert not list(tmp_path.iterdir())


def test_the_outside_world_is_one_process() -> None:
    assert copies("sandbox=1,party_notification=3") == {"sandbox": 1, "party_notification": 3}
    with pytest.raises(ValueError, match="sandbox"):
        copies("sandbox=2")
