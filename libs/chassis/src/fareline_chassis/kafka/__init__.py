"""Kafka building blocks: raw records in, raw records out; what they mean is the service's business."""
