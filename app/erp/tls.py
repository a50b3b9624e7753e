"""Why a connection to an ERP was not made, in the words of TLS where TLS ended it."""

import ssl


def cause_of(error: BaseException) -> str:
    """The name of the error; of a refused certificate (the ERP's, or ours) the reason. Never an address or a secret."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"the ERP's certificate is not trusted: {found.verify_message}"
        if isinstance(found, ssl.SSLError):
            return f"TLS: {found.reason}"
        found = found.__cause__ or found.__context__
    return type(error).__name__
