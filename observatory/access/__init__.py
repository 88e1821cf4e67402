"""Who may use the workbench, and which services they see.

An `Authenticator` turns what a request brings (an API key, a JWT, the login of the dashboard) into a `Caller` with a
role and a scope; `scoped` gives what that caller may read of a runtime, and `operator_for` what they may do with it.
"""

from observatory.access.authentication import Authenticator, authenticator_of
from observatory.access.operators import operator_for
from observatory.access.permissions import OPEN, Caller, Role, Scope
from observatory.access.scoped import scoped

__all__ = ["OPEN", "Authenticator", "Caller", "Role", "Scope", "authenticator_of", "operator_for", "scoped"]
