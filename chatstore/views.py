from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def welcome(request: HttpRequest) -> HttpResponse:
    """Show the start page."""
    return render(request, "welcome.html")
