"""Users, their preferences, API tokens and idempotency keys."""

import hashlib
import secrets
from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext, gettext_lazy

from chatstore import raw_sql
from chatstore.ids import new_id, parse_uuid

NO_EMAIL = gettext_lazy("Empty for users whom a back end manages.")
NOT_CHOSEN = gettext_lazy("Empty until the user chooses one.")

# The lookup `email__lower` compares lower(email). It uses the unique index on lower(email).
models.EmailField.register_lookup(Lower)


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__lower=(username or "").lower())

    def find(self, text: str) -> "User | None":
        """Return the user with this id or e-mail address, or None. Executes one statement."""
        text = text.replace("\0", "").strip()
        id = parse_uuid(text)
        return self.filter(pk=id).first() if id else self.filter(email__lower=text.lower()).first()

    def create_user(self, email: str | None = None, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=email.lower() if email else None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    @transaction.atomic
    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create a superuser. Mark the address as verified, because only commands call this method."""
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(gettext_lazy("e-mail"), null=True, blank=True, help_text=NO_EMAIL)
    managed_by = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="managed_users",
        verbose_name=gettext_lazy("managed by"),
    )
    external_id = models.CharField(gettext_lazy("external id"), max_length=255, null=True, blank=True)
    name = models.CharField(gettext_lazy("name"), max_length=255, blank=True)
    image = models.URLField(gettext_lazy("image"), max_length=2000, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(gettext_lazy("staff"), default=False)
    erasing_at = models.DateTimeField(null=True, editable=False)  # when the erasure of this user began
    # How often all sessions of this user were ended. A session is valid only as long as this number stays the same.
    session_ends = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(gettext_lazy("created at"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(gettext_lazy("updated at"), auto_now=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        db_table = "account"
        verbose_name = gettext_lazy("user")
        verbose_name_plural = gettext_lazy("users")
        permissions = [
            ("erase_user", "Can erase users"),
            ("suspend_user", "Can suspend users, and sign them out"),
            ("export_user", "Can export the data of users"),
            ("view_details", "Can view preferences, sign-in methods, sessions and tokens of users"),
        ]
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
            # Housekeeping finds interrupted erasures with this index.
            models.Index(fields=["erasing_at"], condition=models.Q(erasing_at__isnull=False), name="user_erasing"),
            # The filter of the admin's list, newest first.
            models.Index("id", condition=models.Q(is_active=False), name="user_suspended"),
            models.Index("id", condition=models.Q(is_staff=True), name="user_staff"),
        ]

    def __str__(self) -> str:
        return self.email or self.name or self.external_id or str(self.id)

    def get_session_auth_hash(self) -> str:
        """Return the hash that Django stores in a session and compares in each request."""
        return self._with_session_ends(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return map(self._with_session_ends, super().get_session_auth_fallback_hash())

    def _with_session_ends(self, hash_of_password: str) -> str:
        return f"{hash_of_password}:{self.session_ends}" if self.session_ends else hash_of_password


class Preferences(models.Model):
    user = models.OneToOneField(
        User, models.CASCADE, primary_key=True, related_name="preferences", verbose_name=gettext_lazy("user")
    )
    default_model = models.CharField(
        gettext_lazy("default model"), max_length=255, blank=True, default="", help_text=NOT_CHOSEN
    )
    theme = models.CharField(gettext_lazy("theme"), max_length=32, default="dark")
    language = models.CharField(gettext_lazy("language"), max_length=32, blank=True, default="", help_text=NOT_CHOSEN)
    # Not a foreign key: a client can send the id of a conversation that is not stored yet.
    active_conversation = models.CharField(gettext_lazy("active conversation"), max_length=255, blank=True, default="")
    # The ids of the conversations that the client of contract D received or sent in its last request. `sync_all`
    # trashes a conversation only if its id is in this list.
    storage_known = ArrayField(models.UUIDField(), default=list, blank=True, editable=False)
    extra = models.JSONField(gettext_lazy("extra"), default=dict, blank=True)
    created_at = models.DateTimeField(gettext_lazy("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(gettext_lazy("updated at"), auto_now=True)

    class Meta:
        db_table = "preferences"
        verbose_name = verbose_name_plural = gettext_lazy("preferences")

    def __str__(self) -> str:
        return gettext("preferences of {user}").format(user=self.user)


def read_and_write() -> list[str]:
    return [ApiToken.Scope.READ.value, ApiToken.Scope.WRITE.value]


# Compare with the database's clock, because a web server with a slow clock would accept expired tokens.
IS_VALID = "digest = %s AND (expires_at IS NULL OR expires_at > clock_timestamp())"
USE_IS_OLD = "last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 hour'"
TOKEN_AND_USER = f"""SELECT {{columns}}, {USE_IS_OLD} FROM api_token JOIN account ON account.id = api_token.user_id
    WHERE {IS_VALID}"""
TOKEN_AND_MANAGED_USER = f"""SELECT {{columns}}, {USE_IS_OLD}, {{managed}} FROM api_token
    JOIN account ON account.id = api_token.user_id
    LEFT JOIN account managed ON managed.managed_by_id = account.id AND managed.external_id = %s
    WHERE {IS_VALID}"""


class ApiTokenManager(models.Manager["ApiToken"]):
    def find_with_user(self, digest: bytes) -> "ApiToken | None":
        """Return the token with this SHA-256, and its user in `token.user`. Return None if the token does not exist or
        has expired. Executes one statement, because each API request with a token needs it."""
        row = raw_sql.fetch_row(TOKEN_AND_USER.format(columns=raw_sql.columns(ApiToken, User)), [digest])
        return _build_token(row) if row else None

    def find_with_managed_user(self, digest: bytes, external_id: str) -> "tuple[ApiToken, User | None] | None":
        """Return a pair: the token with its user, as `find_with_user` does, and the managed user of that user with this
        external id. The second value is None if there is no such managed user. Return None instead of a pair if the
        token does not exist or has expired."""
        columns, managed = raw_sql.columns(ApiToken, User), raw_sql.columns(User).replace("account.", "managed.")
        row = raw_sql.fetch_row(TOKEN_AND_MANAGED_USER.format(columns=columns, managed=managed), [external_id, digest])
        if row is None:
            return None
        values = row[-len(User._meta.concrete_fields) :]
        return _build_token(row), raw_sql.build_instance(User, values) if any(values) else None


def _build_token(row: tuple[Any, ...]) -> "ApiToken":
    token, rest = raw_sql.build_instance(ApiToken, row), row[len(ApiToken._meta.concrete_fields) :]
    token.user = raw_sql.build_instance(User, rest)
    token.use_is_old = rest[len(User._meta.concrete_fields)]
    return token


class ApiToken(models.Model):
    """A bearer token. Its secret has 256 random bits. Only the SHA-256 of the secret is stored."""

    PREFIX = "cs_"

    class Scope(models.TextChoices):
        READ = "read"
        WRITE = "write"
        ACT_AS = "act_as", "Act as its users"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens", verbose_name=gettext_lazy("user"))
    name = models.CharField(gettext_lazy("name"), max_length=100)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=16, choices=Scope.choices),
        verbose_name=gettext_lazy("scopes"),
        default=read_and_write,
    )
    expires_at = models.DateTimeField(gettext_lazy("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(gettext_lazy("last used at"), null=True, editable=False)
    created_at = models.DateTimeField(gettext_lazy("created at"), auto_now_add=True)

    objects = ApiTokenManager()
    # True if `last_used_at` is null or older than one hour. Only find_with_user and find_with_managed_user set it.
    use_is_old: bool

    class Meta:
        db_table = "api_token"
        verbose_name = gettext_lazy("API token")
        verbose_name_plural = gettext_lazy("API tokens")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def create_secret(cls) -> str:
        return cls.PREFIX + secrets.token_urlsafe(32)

    @staticmethod
    def hash_secret(secret: str) -> bytes:
        return hashlib.sha256(secret.encode()).digest()


class Idempotency(models.Model):
    """The result of a request with an Idempotency-Key, kept for 24 hours."""

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
