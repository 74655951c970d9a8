"""Redis between the stages: work queue, leases, camera directory, live view."""
