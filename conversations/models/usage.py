"""The counts of each day, of all users."""

from django.conf import settings
from django.db import models


class UsageCounts(models.Model):
    """Counts of rows that exist, by the day (in UTC) on which each was created, its user and its model.

    Triggers on `conversation`, `message` and `reaction` write them (migration 0008). `daily_usage` reads them.
    """

    day = models.DateField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, db_constraint=False, related_name="+"
    )
    model = models.CharField(max_length=255, help_text="Empty for conversations, and for messages without a model.")
    conversations = models.BigIntegerField()
    messages = models.BigIntegerField()
    prompt_tokens = models.BigIntegerField()
    completion_tokens = models.BigIntegerField()
    failed = models.BigIntegerField(help_text="Messages whose status is `failed`.")
    dislikes = models.BigIntegerField(help_text="Reactions that say that an answer is bad.")

    class Meta:
        abstract = True


class DailyUsage(UsageCounts):
    """The counts of a day, without the changes that wait in DailyUsageChange."""

    pk = models.CompositePrimaryKey("day", "user_id", "model")

    class Meta:
        db_table = "daily_usage"
        default_permissions = ("view",)  # who may see the usage of all users
        indexes = [models.Index(fields=["user", "day"], name="daily_usage_user")]

    def __str__(self) -> str:
        return f"{self.day} {self.user_id} {self.model}"


class DailyUsageChange(UsageCounts):
    """A change of the counts, which `daily_usage.add_changes` adds to DailyUsage.

    Each write inserts rows here, because writers that update one row of counts would wait for each other.
    """

    id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "daily_usage_change"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)
