"""What every provider stands on: the base class, its errors, its session. No Odoo in here.

The names that a provider outside this repository may rely on are `PUBLIC`; they change only with
`PROVIDER_API`, after one minor version in which the old name still works.
"""

PROVIDER_API = 1

PUBLIC = (
    "base.Provider",
    "base.Setting",
    "certificates.ClientCertificate",
    "contract.Answer",
    "errors.ProviderError",
    "errors.Transient",
    "errors.Rejected",
    "errors.AuthFailed",
    "errors.Uncertain",
    "errors.ContractBroken",
    "oauth.OAuth2",
    "session.ConnectorConfig",
    "session.Session",
    "soap.SoapProvider",
)
