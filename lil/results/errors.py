"""Errors of the store; each is one sentence that ends with what to do."""


class ResultError(Exception):
    """A result cannot be had as asked. The command line shows it without a traceback."""


class UnknownName(ResultError, ValueError):
    """No experiment, recipe, profile or mode has this name."""


class MissingRecord(ResultError, FileNotFoundError):
    """There is no record, or neither record nor data."""


class StaleRecord(ResultError, ValueError):
    """The record was computed with other settings, data or code."""


class CorruptRecord(ResultError, ValueError):
    """The record is not what was written."""


class CorruptFile(ResultError, ValueError):
    """A file that comes with the project is damaged."""


class NotWritten(ResultError, OSError):
    """A record or the state of a computation could not be written; what was there before is whole."""


class NetworksInUse(ResultError, ValueError):
    """Other records were computed from the networks that are to be trained anew."""


class PackageMissing(ResultError, ModuleNotFoundError):
    """A package that an experiment computes with is not installed."""


class NotAffirmed(ResultError, ValueError):
    """A record cannot be affirmed, or its code computes other numbers now."""


class WrongEngine(ResultError, ValueError):
    """The fast engine computes other numbers than the plain code."""


class NoCluster(ResultError, RuntimeError):
    """A scheduler or its workers cannot do the work."""


class SettingRefused(ResultError, ValueError):
    """A setting has another name or kind, or its value is impossible."""


class NotRerun(ResultError, RuntimeError):
    """A notebook stopped in one of its cells, or no page could be made of it."""
