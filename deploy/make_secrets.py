"""Make a deployment's keys and passwords, once: `python -m deploy.make_secrets`.

`--rotate` hands out new keys, which open and do not lead; once every process has been restarted, `--promote` lets them.

What is missing is made, below deploy/.secrets, which git never sees; what is there stays. The folder is its owner's
alone; its files can be read by the containers' users, who get only those that are handed to them. Keep a copy apart
from the data: whoever loses a `keyring_<service>` loses every name, telephone and address that the service keeps.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import click

from deploy.local.layout import roles
from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import Lookups
from shared.crypto.signing import SigningKey
from shared.db.access import Part
from shared.http.routes import Zone
from shared.http.tokens import StaffSigner
from shared.runtime.registry import load, service_names
from shared.runtime.rotating import RotationError, promote, rotate
from shared.runtime.secrets import PUBLIC_PURPOSES, Secret

OLD = "keyring"
"""The one ring that older releases had for everything."""
FOLDER = Path(__file__).with_name(".secrets")
_RECEIPTS = "http://gateway-public:8002/api/notices/receipts/aliyun"


def makers(kept: Callable[[str], str]) -> dict[str, Callable[[], str]]:
    """How each secret is made; `kept` gives one that was made before it."""
    databases = {role.database_secret: _database_url(role.service.name, role.part) for role in roles()}
    owners = {f"owner_{role.service.name}": _database_url(role.service.name, Part.OWNER) for role in roles()}
    return {
        **keys(kept),
        "postgres_password": _word,
        **databases,
        **owners,
        "kafka_admin": _word,
        **{role.log_secret: _word for role in roles() if role.log_secret},
        "admin_password": _word,
        "carrier_secret": _word,
        "receipt_secret": _word,
        "smtp_password": _word,
        "sandbox_receipt_url": lambda: f"{_RECEIPTS}/{kept('receipt_secret')}",
    }


def keys(kept: Callable[[str], str]) -> dict[str, Callable[[], str]]:
    """How each key is made that a service declares, by the name of its file."""
    found: dict[str, Callable[[], str]] = {}
    for service in (load(name) for name in service_names()):
        for secret in sorted(service.held([*Zone]) | {Secret.KEYRING}, key=list(Secret).index):
            found[secret.file_name(service.name)] = partial(_MAKERS[secret], kept, service.name)
    first = {name: found.pop(name) for name in sorted(found) if name == Secret.TOKEN_KEY}
    return first | found


def _ring(kept: Callable[[str], str], _service: str) -> str:
    """A new ring; where an older release had one ring for everything, it goes on opening what that one sealed."""
    new, old = KeyRing.generate(), kept(OLD)
    return (new.taking_over(KeyRing.from_text(old)) if old else new).to_text()


def _lookups(kept: Callable[[str], str], _service: str) -> str:
    new, old = Lookups.generate(), kept(OLD)
    return (new.with_bound(KeyRing.from_text(old).lookups.bound_to(*PUBLIC_PURPOSES)) if old else new).to_text()


_MAKERS: dict[Secret, Callable[[Callable[[str], str], str], str]] = {
    Secret.KEYRING: _ring,
    Secret.EXCHANGE: _ring,
    Secret.LOOKUPS: _lookups,
    Secret.DROP: lambda kept, service: KeyRing.from_text(kept(Secret.KEYRING.file_name(service))).drop.to_text(),
    Secret.TOKEN_KEY: lambda _kept, _service: SigningKey.generate().to_pem(),
    Secret.TOKEN_PUBLIC_KEY: lambda kept, _service: StaffSigner.from_pem(kept(Secret.TOKEN_KEY)).public_pem,
    Secret.PARTY_SESSIONS: lambda _kept, _service: KeyRing.generate().to_text(),
    Secret.SIGNING_KEY: lambda _kept, _service: SigningKey.generate().to_pem(),
}


def make(folder: Path) -> Mapping[str, str]:
    """Every secret by its name, the missing ones made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    old = folder / OLD
    found: dict[str, str] = {}
    known = {OLD: old.read_text() if old.exists() else ""}
    for name, maker in makers(lambda name: found[name] if name in found else known[name]).items():
        path = folder / name
        if not path.exists():
            _write(path, maker())
        found[name] = path.read_text()
    _write(folder / "kubernetes.json", json.dumps(manifest(found), indent=1))
    return found


def manifest(found: Mapping[str, str]) -> dict[str, object]:
    """The same for Kubernetes."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "yangguang", "namespace": "yangguang"},
        "type": "Opaque",
        "stringData": dict(found),
    }


def _word() -> str:
    return secrets.token_urlsafe(32)


def _database_url(name: str, part: Part) -> Callable[[], str]:
    return lambda: f"postgresql+asyncpg://{part.role(name)}:{_word()}@postgres:5432/{name}"


def _write(path: Path, text: str) -> None:
    """All at once: a file that is there is whole."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text)
    draft.chmod(0o444)
    draft.replace(path)


@click.command(help="生成部署所需的密钥和口令（已有的保持不变），保存在 deploy/.secrets。")
@click.option("--folder", default=FOLDER, type=Path, show_default=False)
@click.option(
    "--rotate",
    "anew",
    is_flag=True,
    help="换密钥第一步：分发新密钥（只能打开，暂不启用，旧密钥保留）；之后重启全部进程。",
)
@click.option("--promote", "leads", is_flag=True, help="换密钥第二步：启用第一步分发的新密钥；之后再重启全部进程。")
def main(folder: Path, *, anew: bool, leads: bool) -> None:
    """Make and say where."""
    if anew and leads:
        raise click.UsageError("--rotate 和 --promote 是先后两步，中间要重启全部进程，不能一起运行。")
    make(folder)
    services = [load(name) for name in service_names()]

    def where(secret: Secret, name: str) -> Path:
        return folder / secret.file_name(name)

    try:
        if anew:
            rotate(services, where, waits=True)
        if leads:
            promote(services, where)
    except RotationError as error:
        raise click.ClickException(str(error)) from None
    make(folder)
    if anew:
        click.echo("新密钥已分发，尚未启用：请更新部署、重启全部进程，全部就绪后再运行 --promote。")
    if leads:
        click.echo("新密钥已启用：请再更新部署、重启全部进程，已有数据随后自动改用新密钥。")
    click.echo(f"密钥和口令在 {folder}，请另存一份备份，不要与数据放在一起。")


if __name__ == "__main__":
    main()
