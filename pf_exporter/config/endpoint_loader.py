"""Load the endpoints of remote write from the file, and check that their keys fit together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from pf_exporter.config.addresses import is_loopback
from pf_exporter.config.files import with_path
from pf_exporter.config.proxy import find_endpoint_proxy
from pf_exporter.config.reader import ConfigReader, Location
from pf_exporter.config.remote_write import FILE_KEYS, GROUPS, RemoteWriteSettings, pairs_text
from pf_exporter.config.secrets import SecretFile
from pf_exporter.errors import ConfigError

PREFIX = "remote_write."
"""Begins the keys of the settings."""
NAMES = [row.name for row in fields(RemoteWriteSettings)]


class EndpointLoader:
    """Reads endpoints; problems and warnings go to ``reader``.

    Relative paths in ``file``, the configuration file, start at its folder.
    """

    def __init__(self, reader: ConfigReader, file: str) -> None:
        self._reader = reader
        self._file = file
        self._folder = os.path.dirname(file)

    def load(
        self, raw: Any, root: Location, values: Mapping[str, Any], origins: Mapping[str, str]
    ) -> tuple[RemoteWriteSettings, ...]:
        """Return the endpoints of a list in the file, or else the one that the settings describe.

        ``values`` are all settings by key, and ``origins`` where those are set that are not at their default.
        """
        if isinstance(raw, list):
            given = [origin for key, origin in origins.items() if key.startswith(PREFIX)]
            if given:
                self._reader.warn(", ".join(given), f"ignored, because {self._file} lists endpoints")
            return self._endpoints(raw, root)
        own = {name: values[PREFIX + name] for name in NAMES}
        if not own["url"] or None in own.values():
            return ()
        endpoint = RemoteWriteSettings(**own)
        self._check(endpoint, {name: origins.get(PREFIX + name, PREFIX + name) for name in NAMES})
        return (endpoint,)

    def flatten(self, raw: Any, location: Location) -> dict[str, Any]:
        """Return the settings of an endpoint as raw values by name, those in groups included."""
        own = self._reader.mapping(raw, location, [*NAMES, *GROUPS])
        flat = {name: own[name] for name in NAMES if name in own}
        for group, names in GROUPS.items():
            for key, value in self._reader.mapping(own.get(group), location.section(group), names).items():
                flat[names[key]] = value
        for name in ("headers", "header_files", "external_labels"):
            pairs = flat.get(name)
            if isinstance(pairs, dict) and all(isinstance(value, str) for value in pairs.values()):
                if name == "header_files":
                    pairs = {key: os.path.join(self._folder, path) for key, path in pairs.items()}
                flat[name] = pairs_text(pairs.items())
        for name in FILE_KEYS:
            if isinstance(flat.get(name), str) and flat[name]:
                flat[name] = os.path.join(self._folder, flat[name])
        return flat

    def _endpoints(self, raw: list[Any], root: Location) -> tuple[RemoteWriteSettings, ...]:
        """Return the endpoints of a list in the file."""
        found: list[RemoteWriteSettings] = []
        for number, item in enumerate(raw):
            location = root.item("remote_write", number)
            flat = self.flatten(item, location)
            if item and not flat:
                continue  # Every entry was rejected, and reported.
            values = {
                row.name: self._reader.value(row.metadata["type"], flat[row.name], location.key(row.name))
                for row in fields(RemoteWriteSettings)
                if row.name in flat
            }
            endpoint = RemoteWriteSettings(
                **{name: value for name, value in values.items() if value is not None}
            )
            if not endpoint.url and values.get("url", "") is not None:
                self._reader.reject(location.key("url"), "missing; set it to the URL of a receiver")
            for key, problem in (
                ("name", "duplicate name; give each endpoint its own"),
                ("spool_path", "duplicate path; give each endpoint its own"),
            ):
                value = getattr(endpoint, key)
                if value and value in [getattr(other, key) for other in found]:
                    self._reader.reject(location.key(key), problem)
            self._check(endpoint, {name: location.key(name) for name in NAMES})
            found.append(endpoint)
        return tuple(found)

    def _check(self, endpoint: RemoteWriteSettings, places: Mapping[str, str]) -> None:
        """Check combinations and files; ``places`` says where each setting is set, for problems."""
        reject = self._reader.reject
        for pair in (("username", "password_file"), ("cert_file", "key_file")):
            missing = [name for name in pair if not getattr(endpoint, name)]
            if len(missing) == 1:
                (given,) = {*pair} - {*missing}
                reject(places[given], f"needs {missing[0]} too")
        if endpoint.username and endpoint.bearer_token_file:
            reject(places["bearer_token_file"], "username is set too; keep only one of them")
        secrets = {"password_file": endpoint.password_file, "bearer_token_file": endpoint.bearer_token_file}
        has_secrets = any(secrets.values()) or bool(endpoint.header_files)
        url = urlsplit(endpoint.url)
        if url.scheme == "http" and has_secrets and not is_loopback(url.hostname or ""):
            self._reader.warn(places["url"], "http sends the credentials in clear text; use https")
        for name, path in secrets.items():
            if path:
                self._check_secret(path, places[name])
        self._check_proxy(endpoint, places)
        for _, path in endpoint.header_files:
            self._check_secret(path, places["header_files"])
        for name in ("ca_file", "cert_file", "key_file"):
            path = getattr(endpoint, name)
            if path and not os.path.isfile(path):
                reject(with_path(places[name], path), "the file cannot be read; check the path")

    def _check_proxy(self, endpoint: RemoteWriteSettings, places: Mapping[str, str]) -> None:
        key = "proxy_url_file" if endpoint.proxy_url_file else "proxy_url"
        if not getattr(endpoint, key):
            return
        if endpoint.proxy_url and endpoint.proxy_url_file:
            self._reader.reject(places[key], "proxy_url is set too; keep only one of them")
        if urlsplit(endpoint.url).scheme != "https":
            self._reader.reject(places[key], "the proxy would see the samples; use it with an https URL only")
        if endpoint.proxy_url_file and self._check_secret(endpoint.proxy_url_file, places[key]):
            try:
                find_endpoint_proxy(endpoint)
            except ConfigError as exc:
                self._reader.problems += exc.problems

    def _check_secret(self, path: str, place: str) -> bool:
        """Return whether the file can be read."""
        return self._reader.check_secret(SecretFile(path, with_path(place, path)))
