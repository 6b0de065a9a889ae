from . import configuration, evidence, metrics, payload, sign_in
