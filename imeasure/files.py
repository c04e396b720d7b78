"""Files: read up to a size, and written in one piece; whatever goes wrong with one ends in one error that names it.

A reader sees the old content of a file or the new, never half of it, however many write it and whenever one is stopped.
What a writer that was killed has left beside a file is removed by the next one that writes there.
What may come from anywhere is read up to a limit, so that no file takes more memory than it is allowed.
"""

import errno
import os
import re
import secrets
import sys
import time
from contextlib import suppress
from pathlib import Path

from imeasure.errors import ConfigError

if sys.platform != "win32":
    import fcntl

LARGEST_TEXT = 2**28
"""Most bytes of a text that is read: 256 MiB."""

_WRITING = re.compile(r"\.[0-9a-f]{16}\.writing")
_FRESH_SECONDS = 60.0  # a writer needs no longer to lock what it made, nor from unlocking it to putting it in place


def read_bytes(path: str | Path, what: str, *, most: int = LARGEST_TEXT) -> bytes:
    """Read a file up to a size.

    Args:
        path: The file.
        what: What it is, for the message, such as ``configuration``.
        most: Bytes that it may have.

    Returns:
        The content.

    Raises:
        ConfigError: If it cannot be read, or is larger.

    Example:
        >>> read_bytes("/no/such/file", "table")
        Traceback (most recent call last):
        imeasure.errors.ConfigError: cannot read the table /no/such/file: No such file or directory
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:  # a path with a null character is a ValueError
        raise ConfigError(f"cannot read the {what} {path}: {_reason(error)}") from None
    if len(content) > most:
        raise ConfigError(f"cannot read the {what} {path}: it is larger than {most} bytes")
    return content


def read_text(path: str | Path, what: str, *, most: int = LARGEST_TEXT) -> str:
    """Read a file of text in UTF-8, with or without a byte order mark, up to a size.

    Args:
        path: The file.
        what: What it is, for the message, such as ``configuration``.
        most: Bytes that it may have.

    Returns:
        The text.

    Raises:
        ConfigError: If it cannot be read, is larger, or is no text in UTF-8.
    """
    try:
        return read_bytes(path, what, most=most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read the {what} {path}: it is no text in UTF-8 (byte {error.start})") from None


def write_text(path: str | Path, text: str) -> None:
    """Write a text file in one piece, as :func:`write_bytes` does.

    Args:
        path: The file; its folder is made.
        text: The content.

    Raises:
        ConfigError: If it cannot be written.
    """
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"cannot write {path}: UTF-8 has no {text[error.start]!r}; leave it out") from None
    write_bytes(path, content)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file in one piece: a reader sees the old content or the new, never half of it.

    A link stays and its target is replaced; into a device or a pipe the content is written as it is.

    Args:
        path: The file; its folder is made.
        content: The content.

    Raises:
        ConfigError: If it cannot be written; what was there before stays.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_bytes(Path(folder) / "a.txt", b"text")
        ...     [(one.name, one.read_bytes()) for one in Path(folder).iterdir()]
        [('a.txt', b'text')]
    """
    try:
        where = Path(path)
        if where.exists() and not where.is_file():
            where.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(where)), content)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def unwritable(path: str | Path, error: OSError | ValueError) -> ConfigError:
    """Return what to say of a file that cannot be written, and what to do.

    Args:
        path: The file.
        error: Why it cannot.

    Example:
        >>> print(unwritable("a/b.csv", OSError(errno.EROFS, "Read-only file system")))
        cannot write a/b.csv: Read-only file system; choose another folder
    """
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return ConfigError(
        f"cannot write {path}: {_reason(error)}; choose another folder{' or make room' if is_full else ''}"
    )


def require_writable(path: str | Path) -> None:
    """Refuse a file that cannot be written, before anything is computed for it.

    Args:
        path: The file; folders that are not there yet could be made.

    Raises:
        ConfigError: If it, or the nearest folder that is there, cannot be written.

    Example:
        >>> require_writable("/dev/null/folder/file.svg")
        Traceback (most recent call last):
        imeasure.errors.ConfigError: cannot write /dev/null/folder/file.svg: /dev/null is no folder
    """
    where = Path(path)
    there = next(one for one in (where, *where.absolute().parents) if os.path.exists(one))
    if there != where and not there.is_dir():
        raise ConfigError(f"cannot write {path}: {there} is no folder")
    if not os.access(there, os.W_OK):
        raise ConfigError(f"cannot write {path}: {there} is write-protected; choose another place")


def _replace(path: Path, content: bytes) -> None:
    """Write beside a file, and put that in its place when all of it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path.parent)
    temporary = path.with_name(f".{secrets.token_hex(8)}.writing")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            _lock(file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.utime(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _remove_abandoned(folder: Path) -> None:
    """Remove what writers have left that were killed: files of theirs that are not new and that nobody has locked."""
    if sys.platform == "win32":
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in [one for one in entries if _WRITING.fullmatch(one.name)]:
            with suppress(OSError):
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _FRESH_SECONDS:
                    _remove_unlocked(entry.path)


def _remove_unlocked(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _lock(descriptor):
            os.unlink(path)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a file until it is closed, and return whether that was possible: nobody else has, and its disk has locks."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
