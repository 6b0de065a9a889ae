from . import evidence, metrics, payload
