"""Errors in words, for people and for documents alike; as light as commands need it that load nothing else."""


def error_text(error: BaseException) -> str:
    """Word an error; those of the operating system about a file as people write them.

    >>> error_text(FileNotFoundError(2, "No such file or directory", "/nowhere")), error_text(ValueError("too much"))
    ('/nowhere: No such file or directory', 'too much')
    >>> error_text(OSError(28, "No space left on device"))
    'No space left on device'
    """
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    return str(error)
