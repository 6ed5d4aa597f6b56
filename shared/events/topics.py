"""One topic per aggregate type. The key is the agreement's id, in meetings the meeting's: order is per key."""

MEETINGS = "meetings.meeting"
SIGNING = "signing.agreement"
NOTIFICATIONS = "notifications.email"
ARCHIVE = "archive.protocol"

ALL = (MEETINGS, SIGNING, NOTIFICATIONS, ARCHIVE)
PARTITIONS = 12
