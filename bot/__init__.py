"""The dialogue process: understands, decides, and lets the actions ask the backend. Never imports `backend`."""
