"""The envelope of DAOS's JSON documents; as light as ``dmg version`` needs it."""

MISCELLANEOUS = -1025
"""The DER status of an error that has no status of its own."""


def envelope(response: object, error: BaseException | None = None, *, text: str = "") -> str:
    """Write the one document of a command: what it answered, and what went wrong; ``text`` words the error."""
    return dumps(
        {
            "response": response,
            "error": None if error is None else text or str(error),
            "status": 0 if error is None else status_of(error),
        }
    )


def dumps(document: object) -> str:
    """Write JSON, with the characters escaped that would matter inside HTML, as DAOS does."""
    import json

    text = json.dumps(document, indent=2, ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def status_of(error: BaseException) -> int:
    """Return the DER status at the root of an error; an error of another kind is "miscellaneous"."""
    from daos_control.base.errors import DaosError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DaosError):
            return int(cause.status)
        cause = cause.__cause__
    return MISCELLANEOUS
