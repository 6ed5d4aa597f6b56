"""What signing holds of an organisation; see `shared.holdings`."""

from services.signing.tables import SigningTable
from shared.holdings import SECRET, Holdings

HOLDINGS = Holdings(
    (SigningTable.metadata,),
    exported=("agreement", "ended_link", "history_entry", "mail_news", "sealed_copy", "signature_request"),
    left_out={"login_session": SECRET["login_session"]},
)
