"""What notifications holds of an organisation; see `shared.holdings`."""

from services.notifications.agreement import tables as agreement  # noqa: F401  (each makes its tables known)
from services.notifications.delivery import tables as delivery  # noqa: F401
from services.notifications.inbox import tables as inbox  # noqa: F401
from services.notifications.invitation import tables as invitation  # noqa: F401
from services.notifications.member import tables as member  # noqa: F401
from services.notifications.report import tables as report  # noqa: F401
from services.notifications.tables import NotificationsTable
from shared.holdings import SECRET, Holdings

_WORK = "which mailer has it in hand just now"

HOLDINGS = Holdings(
    (NotificationsTable.metadata,),
    exported=("agreement", "body_member", "delivery", "held_mail", "invitation", "plan_told", "unmatched_report"),
    left_out={"inbox_mail": SECRET["inbox_mail"]},
    without={"delivery": {"claim": _WORK, "lease_until": _WORK}},
)
