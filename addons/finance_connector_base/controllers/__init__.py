from . import configuration, evidence, metrics, payload
