"""A local file that call events pass through on their way to Kafka: written before the PBX has its answer.

Segments of lines, each line one record with its checksum; a position file says how far the drain has come.
"""
