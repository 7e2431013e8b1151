"""Who answers, as it is configured_models: names, each with a service, its key and its model."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatstore import env
from chatstore.tests.test_settings import refusal, shown
from replies.configuration import Route, configured_models

RAG = {"base_url": "http://rag.internal:9000/v1", "model": "our-rag"}
NOTHING = dict.fromkeys(["OPENAI_API_KEY", "OPENAI_BASE_URL", "GROQ_API_KEY", "GEMINI_API_KEY", "MODELS"], "")
GROQ = Route("https://groq.example/v1", "", "llama")


def models(folder: Path, **knobs: str) -> Any:
    return json.loads(shown(folder, "MODELS", **NOTHING | knobs)[0].replace("'", '"'))


def test_nothing_is_configured_by_itself(tmp_path: Path) -> None:
    assert models(tmp_path) == {}


def test_a_key_configures_what_is_known(tmp_path: Path) -> None:
    found = models(tmp_path, OPENAI_API_KEY="o", GROQ_API_KEY="g", GEMINI_API_KEY="x")
    assert list(found) == ["openai", "groq", "gemini"]
    assert [row["api_key"] for row in found.values()] == ["o", "g", "x"]
    assert all(row["base_url"].startswith("https://") and row["model"] for row in found.values())


def test_a_server_of_ones_own_needs_no_key(tmp_path: Path) -> None:
    (own,) = models(tmp_path, OPENAI_BASE_URL="http://localhost:11434/v1").values()
    assert (own["base_url"], own["api_key"]) == ("http://localhost:11434/v1", "")


def test_more_are_added_and_what_is_known_is_changed(tmp_path: Path) -> None:
    more = {"rag": RAG, "groq": {"model": "small"}}
    found = models(tmp_path, GROQ_API_KEY="g", MODELS=json.dumps(more))
    assert found["rag"] == RAG | {"api_key": ""}
    assert (found["groq"]["model"], found["groq"]["api_key"]) == ("small", "g")
    assert list(found) == ["groq", "rag"]


def test_they_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "models").write_text(json.dumps({"rag": RAG}))
    assert list(models(tmp_path, MODELS_FILE=str(tmp_path / "models"))) == ["rag"]


def test_junk_stops_the_start_with_one_line_that_names_it(tmp_path: Path) -> None:
    assert refusal(tmp_path, MODELS="{").startswith("MODELS must be a JSON object: ")


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        ("{", "MODELS must be a JSON object: Expecting property name"),
        ("rag", "MODELS must be a JSON object: Expecting value"),
        ("[]", "MODELS must be a JSON object of objects, whose values are texts."),
        ("5", "MODELS must be a JSON object of objects, whose values are texts."),
        ("null", "MODELS must be a JSON object of objects, whose values are texts."),
        ('"rag"', "MODELS must be a JSON object of objects, whose values are texts."),
        ('{"rag": "http://rag"}', "MODELS must be a JSON object of objects, whose values are texts."),
        ('{"rag": {"model": 5}}', "MODELS must be a JSON object of objects, whose values are texts."),
        ('{"rag": {"model": null}}', "MODELS must be a JSON object of objects, whose values are texts."),
    ],
)
def test_what_is_no_table_is_refused(raw: str, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS", raw)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.table("MODELS")
    assert str(refused.value).startswith(complaint) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"rag": RAG | {"url": "x"}}, "MODELS: 'rag' has no 'url'; it has base_url, api_key, model."),
        ({"rag": {"model": "m"}}, "MODELS: 'rag' needs a base_url and a model."),
        ({"rag": RAG | {"model": ""}}, "MODELS: 'rag' needs a base_url and a model."),
        ({"rag": {}}, "MODELS: 'rag' needs a base_url and a model."),
        ({"ra/g": RAG}, "MODELS: 'ra/g' cannot be the name of a model."),
        ({"echo": RAG}, "MODELS: 'echo' cannot be the name of a model."),
        ({"": RAG}, "MODELS: '' cannot be the name of a model."),
        ({"groq": {"model": ""}}, "MODELS: 'groq' needs a base_url and a model."),
        ({"rag": RAG | {"base_url": "rag.internal/v1"}}, "The model 'rag' has a base_url that is no http address."),
        ({"rag": RAG | {"base_url": "ftp://rag/v1"}}, "The model 'rag' has a base_url that is no http address."),
        ({"rag": RAG | {"base_url": "http://"}}, "The model 'rag' has a base_url that is no http address."),
        ({"rag": RAG | {"base_url": "http://rag:port/v1"}}, "The model 'rag' has a base_url that is no http address."),
        ({"rag": RAG | {"base_url": "http://[rag/v1"}}, "The model 'rag' has a base_url that is no http address."),
    ],
)
def test_what_cannot_answer_is_refused(more: Any, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        configured_models(more=more, groq=GROQ)
    assert str(refused.value) == complaint


def test_a_known_one_that_is_named_is_there_without_a_key() -> None:
    assert configured_models(more={"groq": {}}, groq=GROQ) == {
        "groq": {"base_url": "https://groq.example/v1", "api_key": "", "model": "llama"}
    }
