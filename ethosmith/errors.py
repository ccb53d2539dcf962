"""The one exception class whose message is meant for the user."""


class EthosmithError(Exception):
    """A fault the user can mend.

    The message is one line: what is wrong, where, and what to do. Entry points
    print it after ``error: `` and exit with a non-zero code; a traceback of one
    of these is a bug.
    """
