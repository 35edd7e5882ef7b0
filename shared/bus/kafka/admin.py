"""What only the cluster's administrator does: users, their passwords, and what each of them may do.

The broker refuses everything that no rule allows. aiokafka has nearly all of the requests, but no calls for them.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from shared.bus.kafka.client import bounded, request_milliseconds
from shared.bus.kafka.login import Login
from shared.bus.kafka.scram import AlterUserScramCredentials

_ROUNDS: Final = 4096
"""Kafka's least. The passwords are random and long: more rounds would only make each connection slower."""
_SECONDS: Final = 15.0
_ANY: Final = 1
_LITERAL: Final = 3
_ALLOW: Final = 3


@dataclass(frozen=True)
class LogUser:
    """A user of the log, and all that it may do. Without a password here, somebody else keeps it."""

    name: str
    group: str
    reads: Collection[str]
    writes: Collection[str]
    password: str = field(default="", repr=False)

    @property
    def principal(self) -> str:
        """As rules name it."""
        return f"User:{self.name}"


class Kind(IntEnum):
    """What a rule is about, by its number in the protocol."""

    TOPIC = 2
    GROUP = 3


class Act(IntEnum):
    """What a rule allows; each lets the user describe the thing, too."""

    READ = 3
    WRITE = 4


class Rule(NamedTuple):
    """What somebody may do with what, and from where; the fields stand as in the protocol's requests."""

    kind: int
    name: str
    pattern: int
    principal: str
    host: str
    act: int
    permission: int


def rules(users: Iterable[LogUser]) -> set[Rule]:
    """All that the users may do."""
    found: set[Rule] = set()
    for user in users:
        acts = [(Kind.TOPIC, topic, Act.READ) for topic in user.reads]
        acts += [(Kind.TOPIC, topic, Act.WRITE) for topic in user.writes]
        acts.append((Kind.GROUP, user.group, Act.READ))
        found |= {Rule(kind, name, _LITERAL, user.principal, "*", act, _ALLOW) for kind, name, act in acts}
    return found


async def settle(bootstrap: str, login: Login, users: Collection[LogUser]) -> None:
    """Set the users' passwords, and bring what they may do in line; other users' rules stay as they are.

    May be repeated. Raises BusError.
    """
    wanted, ours = rules(users), {user.principal for user in users}
    async with bounded(_SECONDS), _administrator(bootstrap, login) as admin:
        there = {rule for rule in await admin.rules() if rule.principal in ours}
        for rule in sorted(wanted - there):
            await admin.allow(rule)
        for rule in sorted(there - wanted):
            await admin.take_back(rule)
        await admin.set_passwords([user for user in users if user.password])  # last: whoever gets in may work at once


class _Administrator:
    """The calls that aiokafka's own client for administrators lacks."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    async def set_passwords(self, users: Iterable[LogUser]) -> None:
        """Make the users, or give them another password."""
        made = []
        for user in users:
            salt = secrets.token_bytes(16)
            salted = hashlib.pbkdf2_hmac("sha512", user.password.encode(), salt, _ROUNDS)
            made.append((user.name, _ROUNDS, salt, salted))
        if made:
            answer = await self._ask(AlterUserScramCredentials(made))
            _check(code for _, code, *_ in answer.results)

    async def rules(self) -> set[Rule]:
        """All that anybody may do."""
        answer = await self._ask(DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
        _check([answer.error_code])
        return {
            Rule(kind, name, pattern, principal, host, act, permission)
            for kind, name, pattern, granted in answer.resources
            for principal, host, act, permission in granted
        }

    async def allow(self, rule: Rule) -> None:
        """Add the rule."""
        _check(code for code, _ in (await self._ask(CreateAclsRequest(*rule))).creation_responses)

    async def take_back(self, rule: Rule) -> None:
        """Remove the rule."""
        _check(code for code, *_ in (await self._ask(DeleteAclsRequest(*rule))).filter_responses)

    async def _ask(self, request: Any) -> Any:
        return await self._client.send(self._client.get_random_node(), request)


@asynccontextmanager
async def _administrator(bootstrap: str, login: Login) -> AsyncIterator[_Administrator]:
    patience = request_milliseconds(_SECONDS)
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=patience, **login.options)
    try:
        await client.bootstrap()
        yield _Administrator(client)
    finally:
        await client.close()


def _check(codes: Iterable[int]) -> None:
    for code in codes:
        if code:
            raise for_code(code)
