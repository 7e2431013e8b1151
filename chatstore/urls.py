"""All routes except /livez and /readyz, which ProbesMiddleware answers."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from . import views

# Anybody can read the documentation of the API.
schema = SpectacularAPIView.as_view(permission_classes=[AllowAny], authentication_classes=[])
docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(
    SpectacularSwaggerSplitView.as_view(url_name="schema", permission_classes=[AllowAny], authentication_classes=[])
)

urlpatterns = [
    path("", views.welcome),
    path("app/", views.web_app),
    path("app/<path:page>", views.web_app),
    path("share/<str:token>/", views.shared_conversation),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("conversations.api.urls")),
    path("api/v1/", include("replies.api.urls")),
    path("api/v1/", include("transfer.api.urls")),
    path("api/v1/", include("staff.api.urls")),
    path("api/", include("compat.sessions.urls")),
    path("api/", include("compat.chat.urls")),
    path("api/", include("compat.chat_history.urls")),
    path("api/", include("compat.storage.urls")),
    path("api/", include("compat.threads.urls")),
    path("api/", include("compat.nextauth.urls")),
    path("", include("compat.health.urls")),
    path("api/schema/", schema, name="schema"),
    path("api/docs/", docs),
    path("docs/", docs),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("accounts.headless")),
    path("_allauth/", include("allauth.headless.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "chatstore.bodies.bad_request"
handler404 = "chatstore.api.errors.not_found"
handler500 = "chatstore.api.errors.server_error"
