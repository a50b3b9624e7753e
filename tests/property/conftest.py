"""How deep property tests look: profile `ci` by default, ten times deeper with LINELEDGER_DEEP=1."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = 250
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("ci", max_examples=EXAMPLES, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("deep", max_examples=10 * EXAMPLES, deadline=None, suppress_health_check=_SLOW)
settings.load_profile("deep" if os.environ.get("LINELEDGER_DEEP") == "1" else "ci")
