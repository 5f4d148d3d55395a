"""Translations between what crosses a service boundary (`fareline_contracts`) and the router's own values.

Bindings and call events travel on the hot path, so they are read and written with msgspec; tests hold them to the
contracts' models.
"""
