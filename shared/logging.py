"""Structured logs: one event name and ids a line, JSON in production, readable in a terminal.

Logs never carry e-mail addresses, names, tokens or IP addresses: an id leads an authorised reader to those.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Literal

import structlog
from structlog.typing import WrappedLogger

from shared.tracing import add_ids

LogFormat = Literal["json", "console"]


def traceback_without_messages(exc_info: structlog.typing.ExcInfo) -> str:
    """Where it happened and which kinds of error: their messages may hold what a person wrote, or who they are."""
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        parts.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nafter:\n".join(parts)


def configure_logging(
    *, log_format: LogFormat = "json", level: str = "INFO", file: Path | None = None, service: str = ""
) -> None:
    """Set up structlog, and route the standard library's loggers (uvicorn, aiokafka …) through it.

    To stderr, or appended to `file`. `service`: whose lines they are, where a process is one service's.
    """
    shared_processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _Service(service),
        add_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(traceback_without_messages),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_processors,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for noisy in (
        "aiokafka",
        "faststream",
        "alembic",
        "uvicorn.access",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    # The SMTP server writes peers' and people's addresses, pyHanko the names in certificates, whatever the level.
    for indiscreet in ("mail.log", "pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(indiscreet).setLevel(logging.CRITICAL)


class _Service:
    """Names it in each line that names none."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, logger: WrappedLogger, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if self._name:
            event.setdefault("service", self._name)
        return event


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
