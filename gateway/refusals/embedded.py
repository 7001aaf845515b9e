"""Refusals of this kind: the embedded broker cannot be had, started or reached."""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from gateway.refusals.root import GatewayError
from schemas.errors import Message


class EmbeddedError(GatewayError):
    """The embedded broker cannot be had, started or reached; the sentence says what to do."""

    code = "embedded_error"
    status = 503
    title = Message(nl="Ingebouwde broker niet beschikbaar", en="Embedded broker unavailable")


class JavaUnsuitable(EmbeddedError):
    """The Java that was asked for does not run, or is older than 17."""

    code = "java_unsuitable"
    title = Message(nl="Java niet geschikt", en="Java not suitable")


class DownloadFailed(EmbeddedError):
    """A jar of the committed lock could not be fetched."""

    code = "download_failed"
    title = Message(nl="Ophalen mislukt", en="Download failed")


class ChecksumDiffers(EmbeddedError):
    """A jar is not the one that the committed lock names; nothing was started."""

    code = "checksum_differs"
    title = Message(nl="Controlesom verschilt", en="Checksum differs")


class PortTaken(EmbeddedError):
    """Another program listens on a port that the broker needs."""

    code = "port_taken"
    title = Message(nl="Poort bezet", en="Port taken")


class PortSettled(EmbeddedError):
    """Another port is asked for than the data folder has had since its first start."""

    code = "port_settled"
    title = Message(nl="Poort ligt vast", en="Port is settled")


class DiskFull(EmbeddedError):
    """The disk has too little room for the jars or the broker's data."""

    code = "disk_full"
    title = Message(nl="Schijf vol", en="Disk full")


class CacheUnusable(EmbeddedError):
    """The folder for downloads has a name that Java's class path cannot hold."""

    code = "cache_unusable"
    title = Message(nl="Cachemap niet bruikbaar", en="Cache folder unusable")


class DataInUse(EmbeddedError):
    """Another broker runs on the same data folder."""

    code = "data_in_use"
    title = Message(nl="Datamap in gebruik", en="Data folder in use")


class BrokerFailed(EmbeddedError):
    """The broker ended, or did not answer in time; its log says why."""

    code = "broker_failed"
    title = Message(nl="Broker niet gestart", en="Broker did not start")


class HubNotReady(EmbeddedError):
    """A process of the hub ended or did not answer while the hub started."""

    code = "hub_not_ready"
    title = Message(nl="Hub niet gestart", en="Hub did not start")


class BrokerNotRunning(EmbeddedError):
    """No broker runs on this data folder."""

    code = "broker_not_running"
    title = Message(nl="Broker draait niet", en="Broker not running")
