"""docs/openapi.yaml is under version control, so that a change of the API shows in a diff."""

from io import StringIO

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client

DOCUMENT = settings.BASE_DIR / "docs" / "openapi.yaml"


def test_the_document_is_up_to_date() -> None:
    generated = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=generated)
    assert DOCUMENT.read_text().strip() == generated.getvalue().strip(), "run `make schema` and read its diff"


@pytest.mark.parametrize("path", ["/api/schema/", "/api/schema"])
def test_the_schema_is_served_to_everyone(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert yaml.safe_load(answer.content)["paths"] == yaml.safe_load(DOCUMENT.read_text())["paths"]


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs", "/docs/", "/docs"])
def test_the_interactive_documentation_loads_nothing_from_other_hosts(path: str) -> None:
    page = Client().get(path)
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    text = page.content.decode()
    script = Client().get(f"{path}?script=").content.decode()
    assert "/api/schema/" in script and "/static/drf_spectacular_sidecar/" in text
    for loaded in (text, script):
        assert "https://" not in loaded and "http://" not in loaded and "//cdn" not in loaded
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"].replace(
        "style-src 'self' 'unsafe-inline'", ""
    )
