from . import configuration, evidence, mapping, metrics, payload, sign_in
