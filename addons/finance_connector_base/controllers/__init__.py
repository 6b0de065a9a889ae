from . import metrics, payload
