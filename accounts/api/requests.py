"""Past IsSignedIn somebody is there: a request, and viewsets, whose user is a User."""

from rest_framework import request, views, viewsets

from accounts.models import User


class Request(request.Request):
    user: User


class APIView(views.APIView):
    request: Request


class ViewSet(viewsets.ViewSet):
    request: Request
