"""The request by which an administrator sets users' passwords (KIP-554); aiokafka 0.14 has every other one."""

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

SCRAM_SHA_512 = 2
"""The mechanism's number in the protocol."""


class AlterUserScramCredentialsResponse(Response):  # type: ignore[misc]
    """Per user an error, or none."""

    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterUserScramCredentialsStruct(RequestStruct):  # type: ignore[misc]
    """Users to be deleted, and users to be made or given another password."""

    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = AlterUserScramCredentialsResponse
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterUserScramCredentials(Request[AlterUserScramCredentialsStruct]):  # type: ignore[misc]
    """Sets the passwords of users: name, iterations, salt and salted password of each."""

    API_KEY = 51

    def __init__(self, users: list[tuple[str, int, bytes, bytes]]) -> None:
        self._users = users

    def build(self, request_struct_class: type[AlterUserScramCredentialsStruct]) -> AlterUserScramCredentialsStruct:
        """The request as it goes out."""
        none: dict[int, bytes] = {}
        upserted = [(name, SCRAM_SHA_512, rounds, salt, salted, none) for name, rounds, salt, salted in self._users]
        return request_struct_class([], upserted, none)
