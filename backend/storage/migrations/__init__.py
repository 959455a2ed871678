"""Schema changes, oldest first; run by `backend.storage.schema.migrate`."""
