"""What the contracts share: how their bodies are read and how they refuse. They know nothing of each other."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import orjson
from django.conf import settings
from django.utils.translation import gettext_lazy
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from rest_framework import exceptions

from accounts.api.base import APIView
from chatstore import strict_json
from chatstore.api.errors import Found
from chatstore.api.parsers import JSONParser
from chatstore.errors import NotFound
from conversations.models import Conversation, Message

AnySchema = TypeVar("AnySchema", bound="Schema")


class AnyMediaType(JSONParser):
    """A bare `fetch` says that its JSON is plain text."""

    media_type = "*/*"
    deeper = 8  # a whole world comes with its tool calls further inside than the native API takes them


class ContractView(APIView):
    """A view of a contract has `error_body`, which words a refusal (of its status and what was found) as the contract
    does, and `error_schema`, which tells the schema what that looks like."""

    parser_classes = [AnyMediaType]

    def read(self, shape: type[AnySchema]) -> AnySchema:
        return shape.of(self.request.data)

    def conversation(self, name: str) -> Conversation:
        """The caller's, by its client's id or by ours."""
        found: Conversation | None = Conversation.objects.owned_by(self.request.user).live().named(name).first()
        if found is None:
            raise NotFound("conversation")
        return found


# Pydantic, and not the serializers of the native API: a world of 20,000 messages is read in a twentieth of their time.


class Schema(BaseModel):
    """What is sent is taken as it is, never converted; fields that a contract does not know are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    @classmethod
    def of(cls: type[AnySchema], data: Any) -> AnySchema:
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise exceptions.ValidationError(dict(map(_finding, _found(error)))) from None


def _found(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)


SAID = {
    "missing": gettext_lazy("This field is required."),
    "list_type": gettext_lazy("Must be an array."),
    "model_type": gettext_lazy("Must be an object."),
    "dict_type": gettext_lazy("Must be an object."),
    "string_type": gettext_lazy("Must be a string."),
}


def _finding(error: ErrorDetails) -> tuple[str, list[exceptions.ErrorDetail]]:
    message = str(SAID.get(error["type"], error["msg"]))
    return strict_json.spelled(error["loc"]) or "non_field_errors", [exceptions.ErrorDetail(message, error["type"])]


def _within(limit: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        # Four bytes a character at most: only a long text is worth encoding to be counted.
        if len(text) * 4 > limit and (size := len(text.encode())) > limit:
            raise PydanticCustomError("too_long", f"Has {size:,} bytes; the limit is {limit:,}.")
        return text

    return check


def _within_json(limit: int) -> Callable[[Any], Any]:
    def check(data: Any) -> Any:
        if (size := len(orjson.dumps(data))) > limit:
            raise PydanticCustomError("too_long", f"Has {size:,} bytes as JSON; the limit is {limit:,}.")
        return data

    return check


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "Must not be empty.")
    return text


Id = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Short = Annotated[str, StringConstraints(max_length=255)]
Parts = AfterValidator(_within_json(settings.PARTS_LIMIT))
Title = Annotated[str, StringConstraints(max_length=500)]
Text = Annotated[str, AfterValidator(_within(settings.CONTENT_LIMIT))]
NotBlank = AfterValidator(_not_blank)
# A history can hold 10,000 bad messages: validation stops at the first one.
History = Field(max_length=settings.HISTORY_LIMIT, fail_fast=True)


def name_of(row: Conversation | Message) -> str:
    """Its client's id where it has one, else ours."""
    return row.external_id or str(row.id)


def shortened(title: str, length: int) -> str:
    return title if len(title) <= length else title[:length] + "..."


def spelled(found: Sequence[Found]) -> str:
    """For people, in one line: what is wrong, and where."""
    field, message, _ = found[0]
    return f"{field}: {message}" if field else message


class PlainError(Schema):
    error: str


class ErrorAndDetail(PlainError):
    detail: str


def error(status: int, found: list[Found]) -> dict[str, Any]:
    return {"error": "Unauthorized" if status == 401 else spelled(found)}


def error_and_detail(status: int, found: list[Found]) -> dict[str, Any]:
    """For two contracts with one route."""
    body = error(status, found)
    return {**body, "detail": body["error"]}
