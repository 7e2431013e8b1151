from django.urls import path

from .views import CsrfView, LogView, ProviderSignInView, ProvidersView, SessionView, SignInView, SignOutView

urlpatterns = [
    path("auth/session/", SessionView.as_view()),
    path("auth/providers/", ProvidersView.as_view()),
    path("auth/csrf/", CsrfView.as_view()),
    path("auth/signin/", SignInView.as_view()),
    path("auth/signin/<str:provider>/", ProviderSignInView.as_view()),
    path("auth/signout/", SignOutView.as_view()),
    path("auth/_log/", LogView.as_view()),
]
