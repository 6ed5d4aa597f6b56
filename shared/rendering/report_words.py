"""The words of the audit report, in the languages that it speaks.

`{who}`, `{by}`, `{old}`, `{new}` are `Name (email)`, or the address alone while no name is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.rendering.minutes import Language


@dataclass(frozen=True, slots=True)
class Words:
    final_heading: str
    heading: str  # of an agreement that is not completed
    history: str
    created_on: str
    created_by: str
    status: str
    transaction: str

    created: str
    created_again: str
    emailed: str
    viewed: str
    named: str
    signed: str
    bounced: str
    alternate: str
    corrected: str
    declined: str
    cancelled: str
    expired: str
    completed: str
    erased: str

    with_ip: str
    signature: str

    status_open: str
    status_signed: str
    status_declined: str
    status_cancelled: str
    status_expired: str


WORDS: Mapping[Language, Words] = {
    "sv": Words(
        final_heading="Slutgiltig revideringsrapport",
        heading="Revideringsrapport",
        history="”{title}” – historik",
        created_on="Skapad",
        created_by="Av",
        status="Status",
        transaction="Transaktions-ID",
        created="Dokumentet skapades av {by}",
        created_again="Dokumentet skapades av {by} som version {version} av protokollet",
        emailed="Dokumentet skickades med e-post till {who} för signering",
        viewed="E-postmeddelandet har visats av {who}",
        named="Signerare {email} angav namnet {name} vid signering",
        signed="Dokumentet har e-signerats av {who}",
        bounced="E-post som skickades till {email} studsade och kunde inte levereras",
        alternate=(
            "{by} har lagt till en alternativ signerare, {new}. "
            "Den ursprungliga signeraren, {old}, kan fortfarande signera."
        ),
        corrected="{by} har ändrat adressen till {new}. Länken till {old} gäller inte längre.",
        declined="{who} avböjde att signera. Skäl: {reason}",
        cancelled="{by} återkallade avtalet. Skäl: {reason}",
        expired="Avtalet har löpt ut.",
        completed="Avtal har slutförts.",
        erased="Uppgiften är raderad",
        with_ip="{time} – IP-adress: {ip}",
        signature="Signaturdatum: {time} – Tidskälla: server – IP-adress: {ip}",
        status_open="Väntar på signering",
        status_signed="Signerat",
        status_declined="Avböjt",
        status_cancelled="Återkallat",
        status_expired="Utgånget",
    ),
    "en": Words(
        final_heading="Final Audit Report",
        heading="Audit Report",
        history='"{title}" History',
        created_on="Created",
        created_by="By",
        status="Status",
        transaction="Transaction ID",
        created="Document created by {by}",
        created_again="Document created by {by} as version {version} of the minutes",
        emailed="Document emailed to {who} for signature",
        viewed="Email viewed by {who}",
        named="Signer {email} entered name at signing as {name}",
        signed="Document e-signed by {who}",
        bounced="Email sent to {email} bounced and could not be delivered",
        alternate="{by} added alternate signer {new}. The original signer {old} can still sign.",
        corrected="{by} changed the address to {new}. The link sent to {old} is no longer valid.",
        declined="{who} declined to sign. Reason: {reason}",
        cancelled="{by} cancelled the agreement. Reason: {reason}",
        expired="Agreement expired.",
        completed="Agreement completed.",
        erased="Entry erased",
        with_ip="{time} - IP address: {ip}",
        signature="Signature Date: {time} - Time Source: server - IP address: {ip}",
        status_open="Out for signature",
        status_signed="Signed",
        status_declined="Declined",
        status_cancelled="Cancelled",
        status_expired="Expired",
    ),
}
