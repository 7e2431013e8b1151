"""`configured_models` builds routes from the settings and MODELS, or stops the start with a clear message."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatstore import env
from replies import providers
from replies.configuration import configured_models
from replies.providers import Finish, Text
from testing.provider_streams import read_stream
from testing.settings import printed_settings, refusal, start

RAG = {"base_url": "http://rag.internal:9000/v1", "model": "our-rag"}
NOTHING = dict.fromkeys(
    ["OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "GROQ_API_KEY", "GEMINI_API_KEY", "MODELS"], ""
)
GROQ = {"base_url": "https://groq.example/v1", "model": "llama", "api_key": ""}


@pytest.fixture(autouse=True)
def no_scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the kind that other tests add, so that error messages do not depend on the order of the tests."""
    monkeypatch.delitem(providers.PROVIDERS, "scripted", raising=False)


def models(folder: Path, **knobs: str) -> Any:
    return json.loads(printed_settings(folder, "MODELS", **NOTHING | knobs)[0].replace("'", '"'))


def test_no_model_is_configured_by_default(tmp_path: Path) -> None:
    assert models(tmp_path) == {}


def test_a_key_configures_a_known_model(tmp_path: Path) -> None:
    found = models(tmp_path, OPENAI_API_KEY="o", ANTHROPIC_API_KEY="a", GROQ_API_KEY="g", GEMINI_API_KEY="x")
    assert list(found) == ["openai", "anthropic", "groq", "gemini"]
    assert [row["api_key"] for row in found.values()] == ["o", "a", "g", "x"]
    assert [row["kind"] for row in found.values()] == ["openai", "anthropic", "openai", "openai"]
    assert all(row["model"] for row in found.values())


def test_a_server_at_openai_base_url_needs_no_key(tmp_path: Path) -> None:
    (own,) = models(tmp_path, OPENAI_BASE_URL="http://localhost:11434/v1").values()
    assert (own["base_url"], own["api_key"]) == ("http://localhost:11434/v1", "")


def test_models_adds_routes_and_changes_known_ones(tmp_path: Path) -> None:
    more = {"rag": RAG, "groq": {"model": "small"}}
    found = models(tmp_path, GROQ_API_KEY="g", MODELS=json.dumps(more))
    assert found["rag"] == RAG | {"kind": "openai"}
    assert (found["groq"]["model"], found["groq"]["api_key"]) == ("small", "g")
    assert list(found) == ["groq", "rag"]


def test_models_can_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "models").write_text(json.dumps({"rag": RAG}))
    assert list(models(tmp_path, MODELS_FILE=str(tmp_path / "models"))) == ["rag"]


def test_junk_in_models_stops_the_start_with_one_line_that_names_it(tmp_path: Path) -> None:
    assert refusal(tmp_path, MODELS="{").startswith("MODELS must be a JSON object: ")


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        ("{", "MODELS must be a JSON object: Expecting property name"),
        ("rag", "MODELS must be a JSON object: Expecting value"),
        ("[]", "MODELS must be a JSON object whose values are objects of strings."),
        ("5", "MODELS must be a JSON object whose values are objects of strings."),
        ("null", "MODELS must be a JSON object whose values are objects of strings."),
        ('"rag"', "MODELS must be a JSON object whose values are objects of strings."),
        ('{"rag": "http://rag"}', "MODELS must be a JSON object whose values are objects of strings."),
        ('{"rag": {"model": 5}}', "MODELS must be a JSON object whose values are objects of strings."),
        ('{"rag": {"model": null}}', "MODELS must be a JSON object whose values are objects of strings."),
    ],
)
def test_models_must_be_an_object_of_objects_of_strings(
    raw: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELS", raw)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.table("MODELS")
    assert str(refused.value).startswith(complaint) and "\n" not in str(refused.value)


NAMES = "A name has no slash, and is not empty or 'echo'."
NO_URL = "The base_url of the model 'rag' is not an http or https URL."


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            {"rag": RAG | {"url": "x"}},
            "MODELS: 'rag' has the unknown field 'url'; known are kind, base_url, model, api_key, input.",
        ),
        ({"rag": {"model": "m"}}, "MODELS: 'rag' needs a base_url."),
        ({"rag": RAG | {"model": ""}}, "MODELS: 'rag' needs a model."),
        ({"rag": {}}, "MODELS: 'rag' needs a base_url."),
        ({"ra/g": RAG}, f"MODELS: 'ra/g' cannot be the name of a model. {NAMES}"),
        ({"echo": RAG}, f"MODELS: 'echo' cannot be the name of a model. {NAMES}"),
        (
            {"rag": RAG | {"kind": "vertex"}},
            "MODELS: 'rag' has the unknown kind 'vertex'; it must be one of openai, anthropic.",
        ),
        ({"rag": {"kind": ""}}, "MODELS: 'rag' has the unknown kind ''; it must be one of openai, anthropic."),
        (
            {"groq": {"kind": "vertex"}},
            "MODELS: 'groq' has the unknown kind 'vertex'; it must be one of openai, anthropic.",
        ),
        ({"": RAG}, f"MODELS: '' cannot be the name of a model. {NAMES}"),
        ({"groq": {"model": ""}}, "MODELS: 'groq' needs a model."),
        ({"rag": RAG | {"base_url": "rag.internal/v1"}}, NO_URL),
        ({"rag": RAG | {"base_url": "ftp://rag/v1"}}, NO_URL),
        ({"rag": RAG | {"base_url": "http://"}}, NO_URL),
        ({"rag": RAG | {"base_url": "http://rag:port/v1"}}, NO_URL),
        ({"rag": RAG | {"base_url": "http://[rag/v1"}}, NO_URL),
        ({"rag": RAG | {"api_key": "…"}}, "The api_key of the model 'rag' has characters that no key can have."),
        ({"rag": RAG | {"api_key": "a\nb"}}, "The api_key of the model 'rag' has characters that no key can have."),
        (
            {"rag": RAG | {"input": "text, video"}},
            "The input 'video' of the model 'rag' is unknown; known are file, image, text.",
        ),
        (
            {"rag": {"kind": "anthropic", "model": "m", "max_tokens": "many"}},
            "The max_tokens of the model 'rag' must be a whole number above 0.",
        ),
    ],
)
def test_a_route_that_cannot_work_is_refused(more: Any, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        configured_models(more=more, groq=GROQ)
    assert str(refused.value) == complaint


def test_a_known_model_in_models_needs_no_key() -> None:
    assert configured_models(more={"groq": {}}, groq=GROQ) == {"groq": GROQ | {"kind": "openai"}}


@pytest.mark.parametrize("changes", [{"model": "small"}, {"model": "small", "kind": "anthropic"}])
def test_a_known_model_of_another_kind_can_be_changed(changes: dict[str, str]) -> None:
    claude = {"kind": "anthropic", "model": "big", "api_key": "a"}
    found = configured_models(more={"claude": changes}, claude=claude)
    assert found == {"claude": {"kind": "anthropic", "model": "small", "api_key": "a"}}


def test_the_models_are_listed_without_their_secrets(settings: Any) -> None:
    anthropic = {"kind": "anthropic", "model": "claude", "api_key": "a"}
    settings.MODELS = configured_models(more={"rag": RAG | {"api_key": "r"}, "claude": anthropic})
    assert providers.models() == [
        ("rag", "openai", "our-rag", ["text"]),
        ("claude", "anthropic", "claude", ["text", "image", "file"]),
        ("echo", "echo", "echo", ["text"]),
    ]


@dataclass(frozen=True)
class Parrot:
    """A provider that is not compatible with OpenAI, added as the recipe in replies/providers/registry.py says."""

    name: str
    model: str
    cage: str
    seed: str = "millet"
    input: str = "text"

    def __post_init__(self) -> None:
        if self.cage == "open":
            raise ImproperlyConfigured(f"The cage of {self.name!r} is open.")

    async def stream(self, messages: Any, options: Any) -> Any:
        yield Text(f"{self.model} in {self.cage} with {self.seed}: {messages[-1]['content']}")
        yield Finish("stop")


@pytest.fixture
def parrots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(providers.PROVIDERS, "parrot", Parrot)


def test_a_provider_of_another_kind_answers(parrots: None, settings: Any) -> None:
    route = {"kind": "parrot", "model": "grey", "cage": "a"}
    settings.MODELS = configured_models(more={"polly": route}, groq=GROQ)
    assert read_stream(providers.default()).text == "grey in a with millet: Hello"
    polly = providers.find("polly/green")
    assert polly is not None and polly.name == "polly/green"
    assert read_stream(polly).text == "green in a with millet: Hello"


@pytest.mark.parametrize(
    ("route", "complaint"),
    [
        ({"model": "grey"}, "MODELS: 'polly' needs a cage."),
        ({"cage": "a"}, "MODELS: 'polly' needs a model."),
        ({"model": "grey", "cage": "a", "base_url": "http://x"},
         "MODELS: 'polly' has the unknown field 'base_url'; known are kind, model, cage, seed, input."),
        ({"model": "grey", "cage": "open"}, "The cage of 'polly' is open."),
        ({"model": "grey", "cage": "a", "kind": "cat"},
         "MODELS: 'polly' has the unknown kind 'cat'; it must be one of openai, anthropic, parrot."),
    ],
)  # fmt: skip
def test_a_kind_decides_which_fields_a_route_needs(route: dict[str, str], complaint: str, parrots: None) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        configured_models(more={"polly": {"kind": "parrot"} | route})
    assert str(refused.value) == complaint


def test_a_known_name_with_another_kind_inherits_no_field(parrots: None) -> None:
    route = {"kind": "parrot", "model": "grey", "cage": "a"}
    assert configured_models(more={"groq": route}, groq=GROQ) == {"groq": route}


def test_an_unknown_kind_stops_the_start_with_one_line_that_names_it(tmp_path: Path) -> None:
    line = refusal(tmp_path, MODELS=json.dumps({"rag": RAG | {"kind": "vertex"}}))
    assert line == "MODELS: 'rag' has the unknown kind 'vertex'; it must be one of openai, anthropic."


PRELOAD = """
import sys, django
django.setup()
from replies import providers
before = {"openai", "anthropic", "aiohttp"} & sys.modules.keys()
providers.preload()
print(sorted(before), sorted({"openai", "anthropic"} & sys.modules.keys()))
"""


def test_the_packages_of_the_configured_kinds_are_imported_late_or_when_asked(tmp_path: Path) -> None:
    chosen = NOTHING | {"ANTHROPIC_API_KEY": "a", "DJANGO_SETTINGS_MODULE": "chatstore.settings"}
    assert start(PRELOAD, tmp_path, **chosen) == ("[] ['anthropic']\n", "")
