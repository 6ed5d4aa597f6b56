"""What kinds of bodies, roles and minutes are called in open data, by the language of the body. Pure."""

from collections.abc import Mapping

from services.meetings.body.body import BodyKind
from services.meetings.body.membership import MemberRole
from shared.rendering.minutes import Language

KINDS: Mapping[Language, Mapping[BodyKind, str]] = {
    "sv": {
        BodyKind.BOARD: "Styrelse",
        BodyKind.COMMITTEE: "Utskott",
        BodyKind.CONGRESS: "Förbundsmöte",
        BodyKind.NETWORK: "Nätverk",
        BodyKind.STEERING_GROUP: "Styrgrupp",
        BodyKind.AUDITORS: "Revisorer",
    },
    "en": {
        BodyKind.BOARD: "Board",
        BodyKind.COMMITTEE: "Committee",
        BodyKind.CONGRESS: "Congress",
        BodyKind.NETWORK: "Network",
        BodyKind.STEERING_GROUP: "Steering group",
        BodyKind.AUDITORS: "Auditors",
    },
}
ROLES: Mapping[Language, Mapping[MemberRole, str]] = {
    "sv": {
        MemberRole.CHAIR: "Ordförande",
        MemberRole.FIRST_VICE_CHAIR: "1:e vice ordförande",
        MemberRole.SECOND_VICE_CHAIR: "2:e vice ordförande",
        MemberRole.MEMBER: "Ledamot",
        MemberRole.SUBSTITUTE: "Ersättare",
        MemberRole.SECRETARY: "Sekreterare",
        MemberRole.CO_OPTED: "Adjungerad",
    },
    "en": {
        MemberRole.CHAIR: "Chair",
        MemberRole.FIRST_VICE_CHAIR: "First vice chair",
        MemberRole.SECOND_VICE_CHAIR: "Second vice chair",
        MemberRole.MEMBER: "Member",
        MemberRole.SUBSTITUTE: "Substitute",
        MemberRole.SECRETARY: "Secretary",
        MemberRole.CO_OPTED: "Co-opted",
    },
}


MINUTES: Mapping[Language, str] = {"sv": "Protokoll", "en": "Minutes"}
