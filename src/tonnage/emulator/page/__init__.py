"""
The live page of ``tonnage up``: ask the model, watch the endpoint, read why it scaled.

Nothing is measured for it. Once a second ``history`` reads what the router and the scaling loop
have counted anyway; ``facts`` reads alarms, activities and faults; ``moving`` puts both into HTML,
once for the first paint, which ``document`` makes whole, and the same way for every second after
it. The browser asks once a second, and draws charts if the endpoint was told how to get the library
that draws them. ``model`` puts a row to the model, and sixty for its curve; ``form`` shows both.
"""

from .live import LivePage

__all__ = ["LivePage"]
