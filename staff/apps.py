from django.apps import AppConfig
from django.contrib.admin import apps as admin


class StaffConfig(AppConfig):
    name = "staff"
    default = True

    def ready(self) -> None:
        from .audit import shares  # noqa: F401  (connects the signals)


class StaffAdminConfig(admin.AdminConfig):
    default_site = "staff.site.StaffSite"
    default = False
