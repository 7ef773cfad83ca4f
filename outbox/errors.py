"""Every error of AiAccount Sync, split by what the caller does about it.

SyncError
├── UsageError            a person gave something that cannot be; say it and stop, exit status 2
├── InstallationError     the database is not ours, not complete or another environment's; stop, exit status 3
├── ServiceError          a server cannot be reached or gave up; try again later, exit status 4
│   ├── DatabaseError
│   └── BrokerError
├── Fenced                another relay leads; stand by
├── EnvelopeError         a message that cannot be read; dead letter
└── VaultError            a sealed key cannot be opened, or the master key is missing; never names the key
"""


class SyncError(Exception):
    """Stand above every error that AiAccount Sync raises on purpose."""


class UsageError(SyncError):
    """A person gave something that cannot be."""


class InstallationError(SyncError):
    """The database is not ours, not complete, or belongs to another environment."""


class ServiceError(SyncError):
    """A server cannot be reached or gave up."""


class DatabaseError(ServiceError):
    """PostgreSQL cannot be reached or gave up."""


class BrokerError(ServiceError):
    """Kafka cannot be reached, or a message was not acknowledged."""


class Fenced(SyncError):  # noqa: N818 - the field's word for it
    """Another relay has taken over: this one must stop at once."""


class EnvelopeError(SyncError):
    """A message cannot be read; it goes to the dead letters with this reason."""


class VaultError(SyncError):
    """A sealed key cannot be opened, or its master key is missing."""
