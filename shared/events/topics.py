"""One topic per aggregate type. The key is its id, in notifications and archive the agreement's: order is per key."""

MEETINGS = "meetings.meeting"
BODIES = "meetings.body"
PEOPLE = "meetings.person"
SIGNING = "signing.agreement"
NOTIFICATIONS = "notifications.email"
ARCHIVE = "archive.protocol"

ALL = (MEETINGS, BODIES, PEOPLE, SIGNING, NOTIFICATIONS, ARCHIVE)
PARTITIONS = 12
