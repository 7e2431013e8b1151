"""Shared parts of the compatibility contracts: the base view, the base schema, common field types and error bodies.

The contracts are independent: no contract imports another one."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast

import orjson
from django.conf import settings
from django.urls import register_converter
from django.utils.translation import gettext, gettext_lazy
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema
from rest_framework import exceptions

from accounts.api.base import APIView
from chatstore import strict_json
from chatstore.api.errors import Found
from chatstore.api.parsers import JSONParser
from chatstore.errors import NotFound
from chatstore.text import size_above
from conversations.models import Conversation, Message

from . import rows


class Name:
    """The path converter `<name:id>`: an id in a path, with any characters. `<path:id>` does not match line breaks."""

    regex = "(?s:.+)"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


# The views import this module, so it is registered before Django reads the routes.
register_converter(Name, "name")
AnySchema = TypeVar("AnySchema", bound="Schema")


class AnyMediaType(JSONParser):
    """Parser that reads every body as JSON. A plain `fetch` sends JSON with the media type text/plain."""

    media_type = "*/*"
    deeper = 8  # levels beyond the limit: contract D nests a tool call deeper than the native API


# Each contract's view sets two attributes: `error_body`, a function that returns the body of an error response for a
# status and a list of `Found`; and `error_schema`, the schema of that body. (This is a comment because drf-spectacular
# would use a docstring as the description of every route.)
class ContractView(APIView):
    parser_classes = [AnyMediaType]

    def read(self, schema: type[AnySchema]) -> AnySchema:
        return schema.of(self.request.data)

    def conversation_id(self, name: str) -> uuid.UUID:
        """Return the id of the caller's live conversation with this external_id or id. Raises NotFound."""
        for id in rows.read_column(rows.ID_BY_NAME, **rows.named(self.request.user, name)):
            return cast(uuid.UUID, id)
        raise NotFound("conversation")


# The contracts use Pydantic: it reads a body of 20,000 messages 20 times faster than the native API's serializers.


class Schema(BaseModel):
    """Base schema: values are not converted between types, and unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    @classmethod
    def of(cls: type[AnySchema], data: Any) -> AnySchema:
        """Return the data as an instance of the schema. Raises DRF's ValidationError with one message per field."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_input=False)
            raise exceptions.ValidationError(dict(map(_finding, errors))) from None


# The message for each Pydantic error type that the schemas can raise. The context of the error fills the placeholders.
MESSAGES = {
    "dict_type": gettext_lazy("Must be an object."),
    "list_type": gettext_lazy("Must be an array."),
    "literal_error": gettext_lazy("Must be one of {names}."),
    "missing": gettext_lazy("This field is required."),
    "model_type": gettext_lazy("Must be an object."),
    "string_too_long": gettext_lazy("Must have at most {max_length:,} characters."),
    "string_too_short": gettext_lazy("Must not be empty."),  # the only min_length in the schemas is 1
    "string_type": gettext_lazy("Must be a string."),
    "too_long": gettext_lazy("Must have at most {max_length:,} entries."),
}
TRANSLATED = {"is_translated": True}


def refusal(code: str, message: str) -> PydanticCustomError:
    """Return an error for a validator to raise. The message must be translated already."""
    return PydanticCustomError(code, message, TRANSLATED)


def _finding(error: ErrorDetails) -> tuple[str, list[exceptions.ErrorDetail]]:
    field = strict_json.spelled(error["loc"]) or "non_field_errors"
    return field, [exceptions.ErrorDetail(_message(error), error["type"])]


def _message(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if context == TRANSLATED or error["type"] not in MESSAGES:
        return error["msg"]
    names = str(context.get("expected", "")).replace(" or ", ", ")  # such as "'user', 'ai' or 'system'"
    return str(MESSAGES[error["type"]]).format(**context, names=names)


def _within(limit: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if size := size_above(text, limit):
            message = gettext("Has {size:,} bytes; the limit is {limit:,}.")
            raise refusal("too_long", message.format(size=size, limit=limit))
        return text

    return check


def _within_json(limit: int) -> Callable[[Any], Any]:
    def check(data: Any) -> Any:
        if (size := len(orjson.dumps(data))) > limit:
            message = gettext("Has {size:,} bytes as JSON; the limit is {limit:,}.")
            raise refusal("too_long", message.format(size=size, limit=limit))
        return data

    return check


def _not_blank(text: str) -> str:
    if not text.strip():
        raise refusal("blank", gettext("Must not be empty."))
    return text


@dataclass(frozen=True, eq=False)
class Rule:
    """A check of a value, and what the OpenAPI document says about it. JSON Schema cannot express every check."""

    check: Callable[[Any], Any]
    keywords: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), **self.keywords}


def json_limit(limit: int) -> Rule:
    """Return the rule that a value has at most `limit` bytes as JSON."""
    return Rule(_within_json(limit), {"description": f"At most {limit:,} bytes as JSON."})


Id = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Short = Annotated[str, StringConstraints(max_length=255)]
Parts = json_limit(settings.PARTS_LIMIT)
Title = Annotated[str, StringConstraints(max_length=500)]
# JSON Schema counts characters, and a character has one to four bytes.
TEXT_SCHEMA = {
    "maxLength": settings.CONTENT_LIMIT,
    "description": f"At most {settings.CONTENT_LIMIT:,} bytes in UTF-8.",
}
TextLimit = Rule(_within(settings.CONTENT_LIMIT), TEXT_SCHEMA)
Text = Annotated[str, TextLimit]
NotEmpty = Annotated[str, StringConstraints(min_length=1), TextLimit]
NotBlank = Rule(_not_blank, {"pattern": r"\S"})
# Validation stops at the first invalid message, because a history can contain thousands of them.
History = Field(max_length=settings.HISTORY_LIMIT, fail_fast=True)


def name_of(row: Conversation | Message) -> str:
    """Return the external_id of the row, or its id if it has no external_id."""
    return row.external_id or str(row.id)


def shortened(title: str, length: int) -> str:
    return title if len(title) <= length else title[:length] + "..."


def spelled(findings: Sequence[Found]) -> str:
    """Return the first error as one line of text: the field, if any, and the message."""
    field, message, _ = findings[0]
    return f"{field}: {message}" if field else message


class PlainError(Schema):
    error: str


class ErrorAndDetail(PlainError):
    detail: str


def error(status: int, findings: list[Found]) -> dict[str, Any]:
    return {"error": "Unauthorized" if status == 401 else spelled(findings)}


def error_and_detail(status: int, findings: list[Found]) -> dict[str, Any]:
    """Return the error body for the contracts B and E, which share one route: B reads `error`, E reads `detail`."""
    body = error(status, findings)
    return {**body, "detail": body["error"]}
