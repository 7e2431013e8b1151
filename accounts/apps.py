from django.apps import AppConfig
from django.contrib.admin import apps as admin


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Users"
    default = True

    def ready(self) -> None:
        from . import sign_in_log  # noqa: F401


class StaffAdminConfig(admin.AdminConfig):
    default_site = "accounts.admin_site.StaffSite"
    default = False
