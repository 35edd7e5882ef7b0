"""Make a deployment's keys and passwords, once: `python -m deploy.make_secrets`.

What is missing is made, below deploy/.secrets, which git never sees; what is there stays. The folder is its owner's
alone; its files can be read by the containers' users, who get only those that are handed to them. Keep a copy apart
from the data: whoever loses `keyring` loses every name, telephone and address.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from deploy.local.layout import roles
from shared.crypto.keyring import KeyRing
from shared.crypto.signing import SigningKey
from shared.db.access import Part

FOLDER = Path(__file__).with_name(".secrets")
_RECEIPTS = "http://gateway-public:8002/api/notices/receipts/aliyun"


def makers(kept: Callable[[str], str]) -> dict[str, Callable[[], str]]:
    """How each secret is made; `kept` gives one that was made before it."""
    databases = {role.database_secret: _database_url(role.service.name, role.part) for role in roles()}
    owners = {f"owner_{role.service.name}": _database_url(role.service.name, Part.OWNER) for role in roles()}
    return {
        "keyring": lambda: KeyRing.generate().to_text(),
        "signing_key": lambda: SigningKey.generate().to_pem(),
        "token_key": lambda: SigningKey.generate().to_pem(),
        "postgres_password": _word,
        **databases,
        **owners,
        "admin_password": _word,
        "carrier_secret": _word,
        "receipt_secret": _word,
        "smtp_password": _word,
        "sandbox_receipt_url": lambda: f"{_RECEIPTS}/{kept('receipt_secret')}",
    }


def make(folder: Path) -> Mapping[str, str]:
    """Every secret by its name, the missing ones made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    found: dict[str, str] = {}
    for name, maker in makers(found.__getitem__).items():
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
def main(folder: Path) -> None:
    """Make and say where."""
    make(folder)
    click.echo(f"密钥和口令在 {folder}，请另存一份备份，不要与数据放在一起。")


if __name__ == "__main__":
    main()
