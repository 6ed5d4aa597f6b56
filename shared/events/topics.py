"""One topic per aggregate type. The key is its id, in notifications and archive the agreement's: order is per key."""

MEETINGS = "meetings.meeting"
BODIES = "meetings.body"
PEOPLE = "meetings.person"
ITEMS = "meetings.item"
NOTICES = "meetings.notice"
POLLS = "meetings.poll"
SITTINGS = "meetings.sitting"
REVIEWS = "meetings.review"
PUBLICATIONS = "meetings.publication"
ORGANISATIONS = "meetings.organisation"
SIGNING = "signing.agreement"
LOGINS = "signing.login"
NOTIFICATIONS = "notifications.email"
ARCHIVE = "archive.protocol"

# Who writes a topic, and who reads it. Each such pair shares a key (`shared.messaging.signatures`).
WRITERS = {
    MEETINGS: "meetings",
    BODIES: "meetings",
    PEOPLE: "meetings",
    ITEMS: "meetings",
    NOTICES: "meetings",
    POLLS: "meetings",
    SITTINGS: "meetings",
    REVIEWS: "meetings",
    PUBLICATIONS: "meetings",
    ORGANISATIONS: "meetings",
    SIGNING: "signing",
    LOGINS: "signing",
    NOTIFICATIONS: "notifications",
    ARCHIVE: "archive",
}
READERS = {
    MEETINGS: ("archive", "signing"),
    BODIES: ("archive", "notifications"),
    PEOPLE: ("archive",),
    ITEMS: ("archive",),
    NOTICES: ("archive", "notifications"),
    POLLS: ("archive", "notifications"),
    SITTINGS: ("archive",),
    REVIEWS: ("archive", "notifications"),
    PUBLICATIONS: ("archive", "notifications"),
    ORGANISATIONS: ("archive", "notifications", "signing"),
    SIGNING: ("archive", "meetings", "notifications"),
    LOGINS: ("archive", "meetings"),
    NOTIFICATIONS: ("archive", "meetings", "signing"),
    ARCHIVE: ("archive", "notifications", "signing"),
}

ALL = (
    MEETINGS,
    BODIES,
    PEOPLE,
    ITEMS,
    NOTICES,
    POLLS,
    SITTINGS,
    REVIEWS,
    PUBLICATIONS,
    ORGANISATIONS,
    SIGNING,
    LOGINS,
    NOTIFICATIONS,
    ARCHIVE,
)
PARTITIONS = 12
