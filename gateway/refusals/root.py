"""The root of the gateway's tree of errors."""

from schemas.errors import Message, SchakelError


class GatewayError(SchakelError):
    """The root of what the gateway raises."""

    code = "gateway_error"
    status = 500
    title = Message(nl="Fout in de hub", en="Hub error")
