from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = gettext_lazy("Users")

    def ready(self) -> None:
        from . import sign_in_log  # noqa: F401  (connects the signals)
