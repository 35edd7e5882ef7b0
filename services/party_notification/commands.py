"""The command that verifies an evidence bundle offline."""

from pathlib import Path

import click

from services.party_notification.usecases.evidence import faults_of_bundle
from shared.crypto.signing import KeyFormatError, public_keys

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("verify-evidence")
@click.argument("bundle", type=_FILE)
@click.option("--key", type=_FILE, help="法院的公钥（PEM）；不给时只按文件自带的公钥核验。")
def verify_evidence(bundle: Path, key: Path | None) -> None:
    """离线核验一份送达证据：签名、内容摘要、记录链、执行日志的每日签署。"""
    try:
        trusted = None if key is None else public_keys(key.read_text())
    except KeyFormatError:
        raise click.ClickException("公钥文件无法识别，应为 Ed25519 公钥（PEM）。") from None
    faults = faults_of_bundle(bundle.read_bytes(), trusted)
    if faults:
        raise click.ClickException("核验不通过：" + "；".join(faults))
    click.echo("核验通过：签名、内容摘要、记录链和所附的执行日志每日签署均无误。")
    if trusted is None:
        click.echo("注意：未指定法院公钥，仅证明文件自签名后未被改动。请用 --key 指定法院公布的公钥再核验一次。")
