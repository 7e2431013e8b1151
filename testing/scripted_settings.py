"""The settings of a process that tests start with the provider `scripted`."""

import testing.scripted  # noqa: F401 - it must come before the settings, which check the kinds of the models
from chatstore.settings import *  # noqa: F403
