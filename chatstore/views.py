from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

TYPES = ["text/html", "application/json"]  # the first one is for clients that accept both alike


@vary_on_headers("Accept")
def welcome(request: HttpRequest) -> HttpResponse:
    """Show the start page. A client that prefers JSON gets a short description of the service instead."""
    if request.get_preferred_type(TYPES) == "application/json":
        version = settings.SPECTACULAR_SETTINGS["VERSION"]
        return JsonResponse({"message": "chatstore is running.", "version": version, "docs": "/docs"})
    return render(request, "welcome.html", {"single_user": settings.SINGLE_USER})
