"""Answers PBX webhooks by the current binding."""
