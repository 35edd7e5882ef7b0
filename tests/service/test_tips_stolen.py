"""The process that takes tips in from the internet is stolen: with its keys, its files, every row of its database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import insert, select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError

from services.asset_tips import store
from services.asset_tips.service import SERVICE
from services.asset_tips.usecases import UNREADABLE, tell
from shared.clock import SystemClock
from shared.contracts.operations import TroubleReported
from shared.contracts.tips import TipReceived
from shared.crypto.boxes import Box
from shared.crypto.keyring import KeyRing
from shared.crypto.sealed import KEY_BYTES, KeyRingError, SealError, decode
from shared.db import aside
from shared.db.tables import answers, outbox
from shared.http.app import build_app
from shared.http.routes import Zone
from shared.runtime.secrets import Secret, SecretAbsentError, Vault, secret_path
from shared.runtime.service import Kit
from shared.runtime.unit import build_kit
from shared.settings import Environment, RunSettings
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import as_owner, told

BODY, CONTACT = "被执行人王小明在渝中区有一处房产，登记在他岳母名下。", "李证人 13800138000"


class Place:
    """One deployment: the staff process and the public one, each with what it is given."""

    def __init__(self, url: str, data: Path) -> None:
        self.run = RunSettings(environment=Environment.TEST, data=data, database_url=url)
        self.inner, self.outer = self._kit(Zone.STAFF), self._kit(Zone.PUBLIC)

    def _kit(self, zone: Zone) -> Kit[Any]:
        keys = Vault(self.run).keys(SERVICE.name, SERVICE.held([zone]))
        return build_kit(SERVICE, self.run, keys, self.run.database_url, SystemClock())

    def client(self) -> httpx.AsyncClient:
        """A sender, at the public process."""
        app = build_app(self.outer, SERVICE.title, SERVICE.routes, [Zone.PUBLIC])
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    def files(self) -> list[str]:
        """The contents of the key files that the public process is given."""
        names = {secret.file_name(SERVICE.name) for secret in SERVICE.held([Zone.PUBLIC])}
        return [path.read_text() for path in secret_path(self.run, "").iterdir() if path.stem in names]


@pytest.fixture
async def place(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Place]:
    place = await asyncio.to_thread(Place, await fresh_database(SERVICE), tmp_path)
    yield place
    await place.inner.db.close()
    await place.outer.db.close()


def thiefs_rings(files: list[str], rows: list[Any]) -> Iterator[KeyRing]:
    """Every ring that can be made of what was stolen: each key as a cipher of any name, and as a box."""
    names = {str(value).partition(".")[0] for row in rows for value in row}
    for text in files:
        for word in text.replace(",", ";").replace(":", ";").split(";"):
            with suppress(ValueError):
                key = decode(word.strip())
                if len(key) == KEY_BYTES:
                    for name in names:
                        with suppress(KeyRingError):
                            yield KeyRing({name: key}, boxes=[Box(X25519PrivateKey.from_private_bytes(key))])


async def test_a_stolen_public_process_opens_no_tip_no_contact_and_no_receipt(place: Place) -> None:
    async with place.client() as http:
        headers = {"Idempotency-Key": "0197c2f0-1111-7000-8000-1234567890ab"}
        tip = {"text": BODY, "contact": CONTACT, "ground": "property"}
        receipt = (await http.post("/api/tips", json=tip, headers=headers)).json()["receipt"]
    for _ in range(2):
        async with place.inner.db.read() as conn:
            rows = [list(await conn.execute(select(table))) for table in (store.tips, store.senders, answers)]
        flat = [row for found in rows for row in found]
        assert len(flat) == 3
        (about,) = [row.tip_id for row in rows[0]]
        rings = [
            *thiefs_rings(place.files(), flat),
            KeyRing(place.outer.lookups.derived(rows[2][0].key, "tip once answer")),
        ]
        assert len(rings) > 3, "there is something to try"
        values = [str(value) for row in flat for value in row] + [rows[2][0].answer["sealed"]]
        for ring in rings:
            for value in values:
                for subject in (str(about), f"{about}/contact", "POST /api/tips"):
                    with pytest.raises(SealError):
                        ring.open(value, subject)
        for secret in (BODY, CONTACT, receipt):
            assert not any(secret in value for value in values)
        await tell(place.inner)  # and no more once the inner network has taken the tip over
    for attribute in ("keyring", "exchange", "staff_signer", "signing", "party_sessions"):
        with pytest.raises(SecretAbsentError):
            getattr(place.outer, attribute).seal  # noqa: B018 - touching it is the attack
    async with place.outer.db.read() as conn:
        assert len(list(await conn.execute(select(outbox)))) == 1, "told by the inner network, not before"


async def test_the_public_process_still_answers_who_sent_the_tip_and_the_inner_one_tells_the_desk(place: Place) -> None:
    async with place.client() as http:
        key = {"Idempotency-Key": "k"}
        first = await http.post("/api/tips", json={"text": BODY, "contact": CONTACT, "ground": "property"}, headers=key)
        again = await http.post("/api/tips", json={"text": BODY, "contact": CONTACT, "ground": "property"}, headers=key)
        assert (first.status_code, again.json()) == (201, first.json())
        status = await http.get("/api/tips/status", headers={"X-Receipt": first.json()["receipt"]})
        assert status.json()["state"] == "received"
    await tell(place.inner)
    (tip,) = await told(place.inner, TipReceived)
    assert place.inner.keyring.open(tip.body, str(tip.tip_id)) == BODY
    async with place.inner.db.read() as conn:
        (sender,) = await conn.execute(select(store.senders))
        (row,) = await conn.execute(select(store.tips))
    assert place.inner.keyring.open(sender.contact, f"{tip.tip_id}/contact") == CONTACT
    assert row.body.startswith(f"{place.inner.keyring.current}.")
    await tell(place.inner)
    assert len(await told(place.inner, TipReceived)) == 1


async def test_a_tip_that_does_not_open_reaches_the_desk_all_the_same(place: Place) -> None:
    stranger = KeyRing.generate()
    async with place.client() as http:
        await http.post("/api/tips", json={"text": BODY, "ground": "property"})
    async with place.inner.db.begin() as tx:
        await tx.conn.execute(store.tips.update().values(body=stranger.drop.seal(BODY, "x")))
    await tell(place.inner)
    (tip,) = await told(place.inner, TipReceived)
    assert place.inner.exchange.open(tip.body, str(tip.tip_id)) == UNREADABLE


def test_what_each_process_is_given() -> None:
    assert SERVICE.held([Zone.PUBLIC]) == {Secret.DROP, Secret.LOOKUPS, Secret.TOKEN_PUBLIC_KEY}


async def test_a_tip_of_no_known_ground_is_refused_and_one_of_before_is_set_aside(place: Place) -> None:
    async with place.client() as http:
        sent = await http.post("/api/tips", json={"text": BODY, "ground": "property"})
    tip = {"tip_id": uuid4(), "tip_number": "20200101000001", "receipt_index": "x", "ground": "rubbish"}
    tip |= {"body": "k1.x", "channel": "web", "arrived_at": datetime(2020, 1, 1, tzinfo=UTC)}
    with pytest.raises(IntegrityError):
        async with place.outer.db.begin() as tx:
            await tx.conn.execute(insert(store.tips).values(tip))
    async with as_owner(place.inner) as conn:
        await conn.execute(sql("ALTER TABLE tips DROP CONSTRAINT tips_ground"))
        await conn.execute(insert(store.tips).values(tip))
        again = "ALTER TABLE tips ADD CONSTRAINT tips_ground CHECK (ground IN ('property', 'urgent')) NOT VALID"
        await conn.execute(sql(again))
    await tell(place.inner)
    assert [each.tip_number for each in await told(place.inner, TipReceived)] == [sent.json()["tip_number"]]
    async with place.inner.db.read() as conn:
        (row,) = await aside.listed(conn)
    assert (row.stream, row.item, row.reason) == ("tips", str(tip["tip_id"]), "it names no ground")
    (trouble,) = await told(place.inner, TroubleReported)
    assert "放在一边" in trouble.summary
