"""The gateway before the processes: the same URLs as in one process; ready when every process is."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from deploy.local.layout import Role, paths
from shared.http.problem_page import problem_page
from shared.http.problems import answering
from shared.runtime.forward import Forward
from shared.runtime.gateway import Gateway
from shared.runtime.launch import front
from shared.settings import CourtSettings


def gateway(roles: Sequence[Role], urls: Mapping[str, Sequence[str]], client: httpx.AsyncClient) -> ASGIApp:
    """`urls`: role → the URLs of its processes."""
    refused = answering(partial(problem_page, court=CourtSettings()))
    forwards = {name: Forward(client, found, refused) for name, found in urls.items()}
    mounts: dict[str, ASGIApp] = {prefix: forwards[name] for prefix, name in paths(roles).items()}
    services = list({role.service.name: role.service for role in roles}.values())

    async def readyz(_request: Request) -> Response:
        states = await readiness(urls, client)
        ready = all(states.values())
        return JSONResponse({"ready": ready, "checks": states}, 200 if ready else 503)

    return Gateway({**mounts, **front(services, readyz)})


async def readiness(urls: Mapping[str, Sequence[str]], client: httpx.AsyncClient) -> dict[str, bool]:
    """Which process says that it is ready, each by its role and its number."""
    every = [(f"{name}.{number}", url) for name, found in urls.items() for number, url in enumerate(found, 1)]
    states = await asyncio.gather(*(_is_ready(client, url) for _, url in every))
    return {name: state for (name, _), state in zip(every, states, strict=True)}


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/readyz", timeout=5)).status_code == 200
    except httpx.HTTPError:
        return False
