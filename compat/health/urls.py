from django.urls import path

from .views import RootHealthView

urlpatterns = [path("health/", RootHealthView.as_view())]
