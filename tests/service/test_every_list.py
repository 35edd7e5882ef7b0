"""Every declared list on a real database: its orders, filters and files; and that no bad row ever breaks one."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import openpyxl  # type: ignore[import-untyped]
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Table, update

from services.case_intake.domain.words import COLUMNS
from services.case_intake.usecases.filing import Act, Assign
from services.case_intake.usecases.imports import Upload, receive, work_through
from services.party_notification.store import tables as notice_tables
from shared.contracts.looks import ListExported
from shared.db.transaction import new_id
from shared.powers import POWERS, Action, Role, read_within
from shared.runtime.registry import load
from shared.web.lists import Listing
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import as_owner, client, told
from tests.fixtures.lists import listings
from tests.fixtures.stock import Stock, stocked

SEES = {"/work": Role.MANAGEMENT, "/staff/tokens": Role.ADMIN}
"""Who has something in lists that show each their own."""
SERVICES = sorted(listings())
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(params=SERVICES)
async def stock(request: pytest.FixtureRequest, fresh_database: FreshDatabase) -> AsyncIterator[Stock]:
    """A service with at least one row in each of its lists."""
    name = request.param
    stock = await stocked(name, await fresh_database(load(name)))
    await _MORE.get(name, _nothing)(stock)
    yield stock
    await stock.kit.db.close()


async def _nothing(_stock: Stock) -> None:
    """The stock has a row of each kind."""


async def _imported_with_a_fault(stock: Stock) -> None:
    row = "（2026）渝05执7001号,2026-11-23,甲,乙,丙,1,申请执行人,=刘艳,居民身份证,510212199101060000,1,,是,,,,,,,,,,"
    content = "\r\n".join([",".join(COLUMNS.values()), row]).encode()
    import_id = await receive(stock.kit, Upload("=一.csv", content), Act(new_id(), Assign.AUTO, silent=True))
    await work_through(stock.kit)
    stock.known["import_id"].insert(0, str(import_id))


async def _asked_for_a_sender(stock: Stock) -> None:
    async with http(stock, Role.DUTY) as duty:
        reason = {"reason": "=须核实线索所述楼栋号"}
        assert (await duty.post(f"/api/tip-senders/{stock.known['tip_id'][0]}", json=reason)).status_code == 200


async def _closed(stock: Stock) -> None:
    async with http(stock, Role.DUTY) as duty:
        path = f"/api/desk/items/{stock.known['taken_item_id'][0]}/dismiss"
        assert (await duty.post(path, json={"reason": "核实无果。"})).status_code == 200


async def _reset_and_made(stock: Stock) -> None:
    async with http(stock, Role.ADMIN) as admin:
        assert (await admin.get("/api/staff/me")).status_code == 200
        assert (await admin.post(f"/api/staff/members/{stock.known['staff_id'][0]}/password")).status_code == 200
        token = {"name": "=1+1", "scopes": ["staff.read"], "days": 30}
        assert (await admin.post("/api/staff/tokens", json=token)).status_code == 201


async def _perhaps_twice(stock: Stock) -> None:
    faulty = {"mark": "m", "provider": "p", "raw": "k1.x", "fault": "=不是JSON"}
    async with stock.kit.db.begin() as tx:
        await tx.conn.execute(update(notice_tables.messages).values(possibly_twice=True))
        await tx.conn.execute(notice_tables.faulty_receipts.insert().values(faulty))


_MORE: dict[str, Callable[[Stock], Awaitable[None]]] = {
    "case_intake": _imported_with_a_fault,
    "asset_tips": _asked_for_a_sender,
    "duty_desk": _closed,
    "staff": _reset_and_made,
    "party_notification": _perhaps_twice,
}


def http(stock: Stock, role: Role) -> httpx.AsyncClient:
    """A browser of somebody in this role."""
    made = client(load(stock.kit.service), stock.kit, role)
    token = stock.kit.staff_signer.for_staff(stock.caller(role), timedelta(hours=1))
    made.headers.update({"authorization": f"Bearer {token}", "accept": "text/html"})
    return made


def who(service: str, listing: Listing[Any]) -> Role:
    """Somebody who may see the list, and has something in it."""
    if listing.path in SEES:
        return SEES[listing.path]
    routes = [route for each in load(service).routes for route in each.router.routes if isinstance(route, APIRoute)]
    (route,) = [each for each in routes if each.path == listing.path and "GET" in (each.methods or ())]
    action = Action((route.openapi_extra or {})["x-permission"])
    return min(role for role in POWERS[action].roles if read_within(action, frozenset({role})) is None)


def at(stock: Stock, listing: Listing[Any]) -> str:
    """Its address."""
    return listing.path.format(**{name: values[0] for name, values in stock.known.items()})


def rows_of(answer: httpx.Response) -> list[list[str]]:
    assert answer.status_code == 200, answer.text[:200]
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_every_list_sorts_filters_and_refuses_what_it_does_not_know(stock: Stock) -> None:
    service = stock.kit.service
    for listing in listings()[service]:
        path = at(stock, listing)
        async with http(stock, who(service, listing)) as somebody:
            queries = [{}, {"sort": "nonsense"}]
            queries += [{"sort": f"{sign}{name}"} for name in listing.sorting.columns for sign in ("", "-")]
            queries += [{one.name: key} for one in listing.filters for key in (one.choices or {"9": ""})]
            for query in queries:
                answer = await somebody.get(path, params=query)
                unknown = any(one.choices == {} and one.name in query for one in listing.filters)
                assert answer.status_code == (422 if unknown else 200), (path, query)
            wrong = [{"cursor": "x"}, {"export": "pdf"}]
            wrong += [{one.name: "nonsense"} for one in listing.filters if one.choices is not None]
            for query in wrong:
                answer = await somebody.get(path, params=query)
                assert (answer.status_code, "<h1" in answer.text) == (422, True), (path, query)


async def test_every_list_leaves_as_a_file_and_that_is_told_of(stock: Stock) -> None:
    service = stock.kit.service
    for listing in listings()[service]:
        path, heads = at(stock, listing), [column.word for column in listing.columns if column.cell is not None]
        async with http(stock, who(service, listing)) as somebody:
            first, *lines = rows_of(await somebody.get(path, params={"export": "csv"}))
            book = await somebody.get(path, params={"export": "xlsx"})
        assert first == heads, path
        assert lines, f"{path}: nothing was in it"
        assert [cell for line in lines for cell in line if cell.startswith(BEGINS_A_FORMULA)] == [], path
        sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in cells} <= {"s", "n"}, path
        assert sheet.max_row == len(lines) + 1, path
        told_of = await told(stock.kit, ListExported)
        assert [(each.list_name, each.file_kind, each.rows, each.cut) for each in told_of[-2:]] == [
            (listing.name, "csv", len(lines), False),
            (listing.name, "xlsx", len(lines), False),
        ]
        assert told_of[-1].by == stock.caller(who(service, listing)).staff_id


async def test_no_unreadable_row_breaks_a_list(stock: Stock) -> None:
    """Each sealed column in turn holds what no key opens, in every row: pages and files have all their rows even so."""
    service = load(stock.kit.service)
    for sealed in service.sealed:
        for column in sealed.columns:
            kept = await _spoil(stock, sealed.table, column)
            for listing in listings()[service.name]:
                path = at(stock, listing)
                async with http(stock, who(service.name, listing)) as somebody:
                    page = await somebody.get(path)
                    assert page.status_code == 200, (path, sealed.table.name, column)
                    assert len(rows_of(await somebody.get(path, params={"export": "csv"}))) > 1, (path, column)
            await _mend(stock, sealed.table, column, kept)


async def _spoil(stock: Stock, table: Table, column: str) -> dict[Any, str]:
    keys = list(table.primary_key.columns)
    async with as_owner(stock.kit) as conn:
        rows = (await conn.execute(table.select().where(table.c[column].is_not(None)))).all()
        await conn.execute(update(table).where(table.c[column].is_not(None)).values({column: "k1.spoilt"}))
    return {tuple(getattr(row, key.name) for key in keys): getattr(row, column) for row in rows}


async def _mend(stock: Stock, table: Table, column: str, kept: dict[Any, str]) -> None:
    keys = list(table.primary_key.columns)
    async with as_owner(stock.kit) as conn:
        for place, text in kept.items():
            here = [key == value for key, value in zip(keys, place, strict=True)]
            await conn.execute(update(table).where(*here).values({column: text}))
