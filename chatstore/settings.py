"""All settings, each read once. docs/configuration.md describes them. env.py refuses invalid values."""

from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from replies.configuration import configured_models

from . import data_folder, database, env, secret_key, sign_in
from .env import BASE_DIR
from .sign_in import Client

# --- Where it runs -------------------------------------------------------------------------------

LOOPBACK = ("localhost", "127.0.0.1", "::1")
HOST = env.text("HOST", "localhost")
PORT = env.number("PORT", 8000, low=1, high=65535)
DATA_DIR = env.folder("DATA_DIR", data_folder.default(BASE_DIR))
# The web server (chatstore.serving). Each number is for one worker process; gunicorn.conf.py reads WEB_WORKERS.
WEB_THREADS = env.number("WEB_THREADS", 4, low=1, high=1000)  # low: the threads compete for the interpreter lock
CLIENT_TIMEOUT = env.number("CLIENT_TIMEOUT", 15, low=1, high=3600)  # seconds; gunicorn.conf.py reads it, too
CONNECTIONS_LIMIT = env.number("CONNECTIONS_LIMIT", 2_000, low=1)
STREAMS_LIMIT = env.number("STREAMS_LIMIT", 1_000, low=1)  # responses of server-sent events
DEBUG = env.flag("DEBUG")

# --- Database ------------------------------------------------------------------------------------

DATABASE_URL = env.text("DATABASE_URL")
DATABASE_DIRECT_URL = env.text("DATABASE_DIRECT_URL")  # bypasses the pooler of DATABASE_URL, for LISTEN
DB_STATEMENT_TIMEOUT = env.number("DB_STATEMENT_TIMEOUT", 30_000)  # milliseconds
DB_POOL_SIZE = env.number("DB_POOL_SIZE", WEB_THREADS, low=1, high=1000)  # connections of each worker process
# Hot statements are prepared on the server. PgBouncer in transaction mode supports this from version 1.22 on.
DB_PREPARED_STATEMENTS = env.flag("DB_PREPARED_STATEMENTS", True)
DATABASES = {
    "default": database.connection_settings(
        DATABASE_URL,
        DATA_DIR,
        pool_size=DB_POOL_SIZE if database.is_serving else 0,
        statement_timeout=DB_STATEMENT_TIMEOUT,
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The cache contains the counts of the rate limits that all worker processes share.
CACHE_URL = env.text("CACHE_URL")
CACHES = {"default": database.cache_settings(CACHE_URL)}

# --- Secrets and transport -----------------------------------------------------------------------

# A local run: no other machine can reach the service, and its data is in the embedded database.
LOCAL = not DATABASE_URL and HOST in LOOPBACK
SECRET_KEY = env.text("SECRET_KEY") or (secret_key.read_or_create(DATA_DIR) if LOCAL else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY (or SECRET_KEY_FILE) is needed with a DATABASE_URL or a HOST that is not loopback. "
        "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", (*LOOPBACK[:2], "[::1]") if HOST in LOOPBACK else ())
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(f"ALLOWED_HOSTS is needed with HOST={HOST}: list the names of this service.")
# Front ends on other origins use the user's cookie. The first setting lets them read responses, the second lets them
# write. They must be equal, or the first must be empty (chatstore.E004). Single-user mode uses only the first.
CORS_ALLOWED_ORIGINS = env.names("CORS_ALLOWED_ORIGINS")
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = (
    *default_headers,
    "idempotency-key",
    "x-act-as",
    "x-expected-user",
    "x-session-token",
    "x-email-verification-key",
)
CORS_EXPOSE_HEADERS = ("retry-after",)

# HTTPS means that a proxy in front of chatstore ends TLS and sets X-Forwarded-Proto.
HTTPS = env.flag("HTTPS", HOST not in LOOPBACK)
PROXIES = env.number("PROXIES", 1 if HTTPS else 0, high=10)  # each adds an address to X-Forwarded-For
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "https:"],  # "data:" for QR codes of a second factor, "https:" for users' pictures
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # A form to sign in can redirect to a front end on another origin. PagePolicyMiddleware makes one exception.
        "form-action": [SELF, *CSRF_TRUSTED_ORIGINS],
    }
}

# --- Identity providers: each is available if its client id is set -------------------------------

SOCIALACCOUNT_PROVIDERS = sign_in.identity_providers(
    google=Client(env.text("GOOGLE_CLIENT_ID"), env.text("GOOGLE_CLIENT_SECRET")),
    github=Client(env.text("GITHUB_CLIENT_ID"), env.text("GITHUB_CLIENT_SECRET")),
    oidc=Client(env.text("OIDC_CLIENT_ID"), env.text("OIDC_CLIENT_SECRET")),
    oidc_server=env.text("OIDC_SERVER_URL"),
    oidc_name=env.text("OIDC_NAME", "OpenID Connect"),
)

# --- The application -----------------------------------------------------------------------------

INSTALLED_APPS = [
    "chatstore",
    "staff.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",  # allauth's pages use its filters
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    *sign_in.identity_provider_apps(SOCIALACCOUNT_PROVIDERS),
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.headless",
    "accounts",
    "conversations",
    "replies",
    "transfer",
    "staff",  # after allauth, because it replaces allauth's admin pages
    "corsheaders",
    "csp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
# Every request passes through these.
_EVERY_REQUEST = [
    "chatstore.probes.ProbesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "chatstore.middleware.SlashMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "chatstore.bodies.BodyLimitMiddleware",  # after LocaleMiddleware, because its answer is a text
]
# A request to the API with a bearer token goes from BearerMiddleware straight to its view. All other requests also pass
# through these, which are for pages and sessions (docs/decisions/0020).
_PAGES_AND_SESSIONS = [
    "accounts.middleware.PagePolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "chatstore.middleware.CrossSiteMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "chatstore.middleware.PreferredLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.LockOutMiddleware",
]
MIDDLEWARE = [*_EVERY_REQUEST, "accounts.middleware.BearerMiddleware", *_PAGES_AND_SESSIONS]
APPEND_SLASH = False  # SlashMiddleware does it without a redirect
ROOT_URLCONF = "chatstore.urls"
WEB_APP = BASE_DIR / "web" / "dist"  # what `make web` builds
WSGI_APPLICATION = "chatstore.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", WEB_APP],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [("app", WEB_APP)]
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/app/.+-[\w-]{8}\.\w+$"  # the names contain a hash of the content
WHITENOISE_USE_FINDERS = True  # so that a first run needs no collectstatic; the build of the Docker image runs it

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Users and sign-in ---------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.SessionBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SILENCED_SYSTEM_CHECKS = [
    "auth.E003",  # a constraint makes lower(email) unique; the check does not see it
    "auth.W004",  # for the same reason
    "security.W003",  # CrossSiteMiddleware is a subclass of CsrfViewMiddleware; the check looks for that name only
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# Emails contain codes, not links, because codes work in every client and need no page of a front end.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # emails about a changed password, address or second factor
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[chatstore] "  # the default is the Host header, which the client chooses
# Users must authenticate again before they change an email address or a linked account: both give access.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAccountAdapter"
# An address that the identity provider has verified signs in to the account with this address. No other does.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "chatstore"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers allow WebAuthn without HTTPS on localhost only
REQUIRE_STAFF_MFA = env.flag("REQUIRE_STAFF_MFA")
HEADLESS_CLIENTS = ("browser", "app")
HEADLESS_SERVE_SPECIFICATION = True
HEADLESS_SPECIFICATION_TEMPLATE_NAME = None  # allauth's page of the document would load scripts from another host
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
vars().update(env.email("EMAIL_URL", "consolemail://"))  # sets EMAIL_HOST and Django's other EMAIL_ settings
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "chatstore@localhost")
# The audit of what staff do (staff.audit)
AUDIT_RETENTION_DAYS = env.number("AUDIT_RETENTION_DAYS", 0, high=36_500)  # 0: for ever
ADMIN_REQUIRE_REASON = env.flag("ADMIN_REQUIRE_REASON")
SHOW_AUDIT_TO_USERS = env.flag("SHOW_AUDIT_TO_USERS")
# The administrator that the first run creates. If ADMIN_PASSWORD is not set, `up` generates a password.
ADMIN_EMAIL = env.text("ADMIN_EMAIL", "admin@localhost")
ADMIN_PASSWORD = env.text("ADMIN_PASSWORD")
# Every request to the API without credentials is from the user with this address (accounts.single_user).
SINGLE_USER = env.text("SINGLE_USER")

# --- Models: without any, the built-in echo answers ----------------------------------------------

OPENAI_BASE_URL = env.text("OPENAI_BASE_URL")
MODELS = configured_models(
    openai={
        "base_url": OPENAI_BASE_URL or "https://api.openai.com/v1",
        "model": "gpt-5-mini",
        "api_key": env.text("OPENAI_API_KEY"),
        "input": "text" if OPENAI_BASE_URL else "text, image, file",
    },
    anthropic={
        "kind": "anthropic",
        "model": "claude-sonnet-5-5",
        "api_key": env.text("ANTHROPIC_API_KEY"),
    },
    groq={
        "base_url": "https://api.groq.com/openai/v1",
        "model": "llama-3.3-70b-versatile",
        "api_key": env.text("GROQ_API_KEY"),
    },
    gemini={
        "base_url": "https://generativelanguage.googleapis.com/v1beta/openai/",
        "model": "gemini-2.5-flash",
        "api_key": env.text("GEMINI_API_KEY"),
        "input": "text, image",
    },
    more=env.table("MODELS"),
    keyless=["openai"] if OPENAI_BASE_URL else [],  # a self-hosted server may need no key
)
PROVIDER_TIMEOUT = env.number("PROVIDER_TIMEOUT", 60, low=1, high=3600)  # seconds without a piece of the reply
REPLY_TIMEOUT = env.number("REPLY_TIMEOUT", 600, low=1, high=86_400)  # seconds for a whole reply
REPLIES_AT_ONCE = env.number("REPLIES_AT_ONCE", 500, low=1, high=10_000)  # replies that one process generates
TITLE_MODEL = env.text("TITLE_MODEL")  # the name of the model that writes titles; without one, the first line stays
# How much of a conversation a model gets: its newest messages, and of these the newest with so many tokens (estimated).
CONTEXT_MESSAGES = env.number("CONTEXT_MESSAGES", 10, low=1, high=10_000)
CONTEXT_TOKENS = env.number("CONTEXT_TOKENS", 32_000, low=1)

# --- Limits: the error of a request above a limit names the limit and the value ------------------

BODY_LIMIT = env.number("BODY_LIMIT", 4_000_000, low=1_000)  # bytes
CONTENT_LIMIT = env.number("CONTENT_LIMIT", 1_000_000, low=1)  # bytes of UTF-8 in a message
MESSAGES_LIMIT = env.number("MESSAGES_LIMIT", 1_000, low=1)  # messages in a request
HISTORY_LIMIT = env.number("HISTORY_LIMIT", 10_000, low=1)  # messages in a request that sends a whole history
HISTORY_BODY_LIMIT = env.number("HISTORY_BODY_LIMIT", 32_000_000, low=1_000)  # bytes of such a request
# Bytes of large request bodies that a worker process holds at the same time.
BODIES_LIMIT = env.number("BODIES_LIMIT", 4 * HISTORY_BODY_LIMIT, low=HISTORY_BODY_LIMIT)
PARTS_LIMIT = env.number("PARTS_LIMIT", 1_000_000, low=2)  # bytes of JSON, for each of parts and tool_calls
METADATA_LIMIT = env.number("METADATA_LIMIT", 16_000, low=2)  # bytes of JSON
LABELS_LIMIT = env.number("LABELS_LIMIT", 50, low=1)  # tags of a conversation; also notebooks
JSON_DEPTH_LIMIT = env.number("JSON_DEPTH_LIMIT", 64, low=4, high=500)
KEEP_CONVERSATIONS = env.number("KEEP_CONVERSATIONS", 0)  # per user; 0: no limit; pinned and archived ones stay
TRASH_DAYS = env.number("TRASH_DAYS", 30)  # days for which conversations and messages in the trash can be restored
# Days without activity after which a conversation goes to the trash; 0: never. The longest of its tags' periods counts.
RETENTION_DAYS = env.number("RETENTION_DAYS", 0, high=36_500)
RETENTION_DAYS_BY_TAG = env.numbers("RETENTION_DAYS_BY_TAG", high=36_500)
API_RATE = env.number("API_RATE", 600)  # requests of a user in a minute, in each worker process; 0: no limit
ACT_AS_RATE = env.number("ACT_AS_RATE", 6_000)  # the same, for all users of a back end together
REPLIES_PER_USER = env.number("REPLIES_PER_USER", 8, low=1)  # replies of a user that are under way at once
REPLIES_IN_ALL = env.number("REPLIES_IN_ALL", 1_000, low=1)  # the same for all users together
TOKENS_PER_DAY = env.number("TOKENS_PER_DAY", 0)  # tokens of models that a user gets in 24 hours; 0: no limit
TOKEN_RATE = env.number("TOKEN_RATE", 20, high=1_000)  # tokens that a user can create in an hour; 0: no limit
# Outside the API, bodies are forms without files (chatstore.bodies). The limit is in bytes.
FORM_LIMIT = DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_HANDLERS = ["chatstore.bodies.RefusingUploadHandler"]

# --- API -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # Bearer comes first, so that a request without authentication gets a 401 and not a 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.AppAuthentication",
        "accounts.authentication.SessionAuthentication",
        "accounts.authentication.SingleUserAuthentication",  # last: it is for requests without credentials
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.IsSignedIn"],
    "DEFAULT_THROTTLE_CLASSES": ["chatstore.api.throttling.RateThrottle"],
    "NUM_PROXIES": PROXIES,
    "DEFAULT_PARSER_CLASSES": ["chatstore.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["chatstore.api.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chatstore.api.negotiation.JSONNegotiation",
    "DEFAULT_SCHEMA_CLASS": "chatstore.api.schema.Schema",
    "EXCEPTION_HANDLER": "chatstore.api.errors.handle",
    "URL_FORMAT_OVERRIDE": None,
    "LIST_SERIALIZER_ERRORS_AS_DICT": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "chatstore",
    "DESCRIPTION": "The conversation store for LLM chat applications. "
    "Sign in with a session cookie or `Authorization: Bearer cs_…`. JSON Schema cannot express some rules: a text has "
    "no NUL characters and no lone surrogates, a number fits into 64 bits, whole numbers are written without a decimal "
    "point, values are not nested deeper than `JSON_DEPTH_LIMIT`. A request that breaks a rule gets a 400, or a 422 in "
    "contract C.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",  # Pydantic writes its schemas in this version
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "chatstore.api.schema.allow_overlaps",
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PATH_CONVERTER_OVERRIDES": {"name": str},
    "ENUM_NAME_OVERRIDES": {  # roles in the native API and in three contracts
        "RoleEnum": "conversations.models.Role",
        "SessionRoleEnum": ["user", "assistant", "system"],
        "ChatRoleEnum": ["user", "ai", "system"],
        "StorageRoleEnum": ["user", "assistant", "system", "tool"],
        "SpeakerEnum": ["user", "assistant"],
    },
}

# --- Logs: they contain ids, never the text of messages ------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "chatstore.logs.JsonFormatter"},
        "text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "filters": {"share_tokens": {"()": "chatstore.logs.HideShareTokens"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["share_tokens"],
            "formatter": env.choice("LOG_FORMAT", "text" if LOCAL else "json", ("text", "json")),
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # No handlers for Django's logger: its own ones would write each line a second time, and send errors by email.
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "httpx2": {"level": "WARNING"},  # at INFO it writes a line for each request to a provider
        # At ERROR, Django writes a traceback for each request with a wrong Host header, such as those of scanners.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
