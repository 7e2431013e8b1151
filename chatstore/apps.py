from django.apps import AppConfig


class ChatstoreConfig(AppConfig):
    name = "chatstore"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers the system checks
