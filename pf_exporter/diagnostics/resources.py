"""The checks of the polled resources: what the user or the key may read."""

from __future__ import annotations

from pf_exporter.diagnostics.result import Notice, Outcome
from pf_exporter.errors import ExporterError, Forbidden, NotFound
from pf_exporter.inventory import ResourceProbe
from pf_exporter.schema import PolledResource


def check_resource(probe: ResourceProbe, resource: PolledResource) -> Outcome:
    """Read a resource once. What cannot be read never prevents exporting: it is a notice."""
    try:
        reading = probe.read(resource)
    except Forbidden as exc:
        remedy = "grant the permission in the portal; until then the metrics of this resource are absent"
        return Notice(f"{resource.name}: {exc}", remedy)
    except NotFound as exc:
        remedy = "nothing, if the account does not use it: the metrics of this resource are absent"
        return Notice(f"{resource.name}: {exc}", remedy)
    except ExporterError as exc:
        remedy = exc.reason.remedy.removeprefix("Run `pf-exporter check`. ")
        return Notice(f"{resource.name}: {exc}", f"run check again. {remedy}")
    if reading is None:
        return f"{resource.name}: no {resource.scope} to request it for"
    found = len(reading.samples) + len(reading.maintenances) + len(reading.ids)
    message = f"{resource.name}: readable, {found or 'nothing'} found"
    if reading.rejected:
        fields = ", ".join(sorted(set(reading.rejected)))
        remedy = "please report this line to the authors of pf-exporter"
        return Notice(f"{message}; unusable: {fields}", remedy)
    return message
