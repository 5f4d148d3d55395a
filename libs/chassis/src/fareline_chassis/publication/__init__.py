"""Publication by revision: what differs from what is published is sent, newest state only, then marked."""
