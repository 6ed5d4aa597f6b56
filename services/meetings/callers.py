"""Who may ask what of the meetings service over HTTP."""

from typing import Annotated

from shared.auth import Principal, Role, requires

Reader = Annotated[Principal, requires(Role.SECRETARY, Role.OPERATOR, Role.AUDITOR)]
Secretary = Annotated[Principal, requires(Role.SECRETARY)]
Operator = Annotated[Principal, requires(Role.OPERATOR)]
