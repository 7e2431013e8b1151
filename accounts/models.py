"""Who is asking."""

import hashlib
import secrets
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy

from chatstore import raw_sql
from chatstore.ids import new_id

# `email__lower` reads the unique index on lower(email).
models.EmailField.register_lookup(Lower)


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__lower=(username or "").lower())

    def create_user(self, email: str | None = None, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=email.lower() if email else None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    @transaction.atomic
    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Whoever runs the command vouches for the address."""
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField("e-mail", null=True, blank=True, help_text="Empty for users of a trusted back end.")
    managed_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="managed_users")
    external_id = models.CharField(max_length=255, null=True, blank=True)
    name = models.CharField(max_length=255, blank=True)
    image = models.URLField(max_length=2000, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("staff", default=False)
    erasing_at = models.DateTimeField(null=True, editable=False)  # erasure has begun: housekeeping sees to its end
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        db_table = "account"
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=models.Q(email__isnull=False),
                name="user_email",
                violation_error_message=gettext_lazy("A user with this e-mail exists."),
            ),
            models.UniqueConstraint(fields=["managed_by", "external_id"], name="user_managed_external_id"),
        ]
        indexes = [
            # Housekeeping: erasures that were cut short.
            models.Index(fields=["erasing_at"], condition=models.Q(erasing_at__isnull=False), name="user_erasing"),
        ]

    def __str__(self) -> str:
        return self.email or self.name or self.external_id or str(self.id)


class Preferences(models.Model):
    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="preferences")
    default_model = models.CharField(max_length=255, blank=True, default="", help_text="Empty until one is chosen.")
    theme = models.CharField(max_length=32, default="dark")
    language = models.CharField(max_length=32, blank=True, default="", help_text="Empty until one is chosen.")
    # Text, not a key: a client may name a conversation that is not stored yet.
    active_conversation = models.CharField(max_length=255, blank=True, default="")
    # The conversations that a client which saves everything at once was shown or sent last: only those it can delete.
    storage_known = ArrayField(models.UUIDField(), default=list, blank=True, editable=False)
    extra = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "preferences"
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of {self.user}"


def read_and_write() -> list[str]:
    return [ApiToken.Scope.READ.value, ApiToken.Scope.WRITE.value]


# By the database's clock: a web server whose clock is behind would accept a token that has expired.
IN_FORCE = "digest = %s AND (expires_at IS NULL OR expires_at > clock_timestamp())"
USE_IS_OLD = "last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 hour'"
TOKEN_AND_USER = f"""SELECT {{columns}}, {USE_IS_OLD} FROM api_token JOIN account ON account.id = api_token.user_id
    WHERE {IN_FORCE}"""
AND_MANAGED = f"""SELECT {{columns}}, {USE_IS_OLD}, {{managed}} FROM api_token
    JOIN account ON account.id = api_token.user_id
    LEFT JOIN account managed ON managed.managed_by_id = account.id AND managed.external_id = %s
    WHERE {IN_FORCE}"""


class ApiTokenManager(models.Manager["ApiToken"]):
    def with_user(self, digest: bytes) -> "ApiToken | None":
        """Return the token and its user, None if it does not exist or has expired. Every API request asks this."""
        row = raw_sql.fetch_row(TOKEN_AND_USER.format(columns=raw_sql.columns(ApiToken, User)), [digest])
        return _token(row) if row else None

    def with_managed(self, digest: bytes, external_id: str) -> "tuple[ApiToken, User | None] | None":
        """The same, and whom that user manages under this id, if there is such a user already."""
        columns, managed = raw_sql.columns(ApiToken, User), raw_sql.columns(User).replace("account.", "managed.")
        row = raw_sql.fetch_row(AND_MANAGED.format(columns=columns, managed=managed), [external_id, digest])
        if row is None:
            return None
        values = row[-len(User._meta.concrete_fields) :]
        return _token(row), raw_sql.build_instance(User, values) if any(values) else None


def _token(row: tuple[Any, ...]) -> "ApiToken":
    token, rest = raw_sql.build_instance(ApiToken, row), row[len(ApiToken._meta.concrete_fields) :]
    token.user = raw_sql.build_instance(User, rest)
    token.use_is_old = rest[len(User._meta.concrete_fields)]
    return token


class ApiToken(models.Model):
    """A bearer token: a random secret of 256 bits, of which only the SHA-256 is stored."""

    PREFIX = "cs_"

    class Scope(models.TextChoices):
        READ = "read"
        WRITE = "write"
        ACT_AS = "act_as", "Act as its users"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices), default=read_and_write)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ApiTokenManager()
    use_is_old: bool  # whether last_used_at is more than an hour ago, on a token read by `with_user` or `with_managed`

    class Meta:
        db_table = "api_token"
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def new_secret(cls) -> str:
        return cls.PREFIX + secrets.token_urlsafe(32)

    @staticmethod
    def digest_of(secret: str) -> bytes:
        return hashlib.sha256(secret.encode()).digest()


class Idempotency(models.Model):
    """What an Idempotency-Key was answered with, kept for 24 hours."""

    pk = models.CompositePrimaryKey("user_id", "key")
    user = models.ForeignKey(User, models.CASCADE, db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=16)
    result = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "idempotency"

    def __str__(self) -> str:
        return self.key
