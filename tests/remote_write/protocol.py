"""The messages of remote write 1.0 as protobuf's own library encodes and decodes them."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from cramjam import snappy
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

STALE = 0x7FF0000000000002
"""The bits of the value that ends a series."""

_FIELD = descriptor_pb2.FieldDescriptorProto


def _messages() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package="prometheus", syntax="proto3")
    for name, fields in {
        "Label": [("name", 1, _FIELD.TYPE_STRING, ""), ("value", 2, _FIELD.TYPE_STRING, "")],
        "Sample": [("value", 1, _FIELD.TYPE_DOUBLE, ""), ("timestamp", 2, _FIELD.TYPE_INT64, "")],
        "TimeSeries": [
            ("labels", 1, _FIELD.TYPE_MESSAGE, ".prometheus.Label"),
            ("samples", 2, _FIELD.TYPE_MESSAGE, ".prometheus.Sample"),
        ],
        "WriteRequest": [("timeseries", 1, _FIELD.TYPE_MESSAGE, ".prometheus.TimeSeries")],
    }.items():
        message = file.message_type.add(name=name)
        for field, number, kind, type_name in fields:
            message.field.add(
                name=field,
                number=number,
                type=kind,
                type_name=type_name or None,
                label=_FIELD.LABEL_REPEATED if type_name else _FIELD.LABEL_OPTIONAL,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    names = ("Label", "Sample", "TimeSeries", "WriteRequest")
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"prometheus.{name}"))
        for name in names
    }


MESSAGES = _messages()


class Decoded(NamedTuple):
    """A sample of a request."""

    labels: dict[str, str]
    value: float
    ms: int

    @property
    def name(self) -> str:
        """The name of the metric."""
        return self.labels["__name__"]

    @property
    def is_stale(self) -> bool:
        """Whether it ends its series."""
        bits: int = struct.unpack("<Q", struct.pack("<d", self.value))[0]
        return bits == STALE


def encode_request(*samples: tuple[dict[str, str], float, int]) -> bytes:
    """Encode a request, one series for each sample, with sorted labels."""
    request = MESSAGES["WriteRequest"]()
    for labels, value, ms in samples:
        series = request.timeseries.add()
        for name, text in sorted(labels.items()):
            series.labels.add(name=name, value=text)
        series.samples.add(value=value, timestamp=ms)
    encoded: bytes = request.SerializeToString(deterministic=True)
    return encoded


def decode(request: bytes) -> list[Decoded]:
    """Decode a request."""
    message = MESSAGES["WriteRequest"].FromString(request)
    found = []
    for series in message.timeseries:
        names = [label.name for label in series.labels]
        assert names == sorted(set(names)), "labels must be sorted, each once"
        assert all(label.value for label in series.labels), "no label may be empty"
        (sample,) = series.samples
        labels = {label.name: label.value for label in series.labels}
        found.append(Decoded(labels, sample.value, sample.timestamp))
    return found


def decode_body(body: bytes) -> list[Decoded]:
    """Decode the body of a request."""
    return decode(bytes(snappy.decompress_raw(body)))
